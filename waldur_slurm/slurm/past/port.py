"""What may be asked about the past of one cluster's jobs; nothing here writes.

The accounting hears of a job up to `LAG` after slurmctld does, so a job that is not here may be
there all the same. `AccountingDown` and `TransportError` say that nobody answered: never "no jobs".
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import ClusterName
from waldur_slurm.model.past import (
    Account,
    Membership,
    Page,
    PastJob,
    PastOutput,
    PastQuery,
    PastStep,
    Person,
    Position,
    UnreadablePast,
)

LAG = timedelta(seconds=5)
"""How late slurmctld tells the accounting of a new job."""


class History(Protocol):
    """One cluster's records of jobs, and the people who may have some."""

    @property
    def cluster(self) -> ClusterName: ...

    def read_jobs(self, query: PastQuery) -> Iterator[PastJob | UnreadablePast]:
        """Yield jobs with all their runs, the last submitted first, in memory that stays flat.

        Jobs that never became eligible, as held ones, are not among the accounting's jobs.
        """
        ...

    def read_page(self, query: PastQuery, *, limit: int, after: Position | None = None) -> Page: ...

    def read_steps(
        self, jobs: Collection[JobId], since: datetime
    ) -> Mapping[JobId, tuple[PastStep, ...]]:
        """Tell what the steps of these jobs used; costs slurmdbd a query a job."""
        ...

    def read_outputs(self, jobs: Collection[JobId], since: datetime) -> Mapping[JobId, PastOutput]:
        """Tell what the output of these jobs was to be called; of none where that is not kept."""
        ...

    def read_private(self) -> tuple[str, ...]:
        """Read what it hides of others from those who are no operators, as `jobs`."""
        ...

    def read_people(self) -> tuple[Person, ...]: ...

    def read_accounts(self) -> tuple[Account, ...]:
        """Read the cluster's accounts, each with the one above it."""
        ...

    def read_memberships(self) -> tuple[Membership, ...]: ...
