"""What the accounting is asked for the second original's clients.

An `ExpectedError` says that nobody answered: never "no jobs".
"""

from collections.abc import Sequence
from typing import Protocol

from waldur_slurm.gateway.records.record import Belonging, Record, RecordsWanted


class Records(Protocol):
    """One cluster's jobs and associations; nothing here writes."""

    def read_jobs(self, wanted: RecordsWanted) -> Sequence[Record]:
        """Return a page of jobs, the last submitted first, a requeued one once."""
        ...

    def read_belongings(self) -> Sequence[Belonging]:
        """Return every user's associations, in the order of their numbers."""
        ...
