"""Where attempts are written down: what it says is there survives the gateway's end, at any moment.

A key stands for one attempt at most, and so does a mark that is open: which of two a job belongs to
nobody could tell.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.model.batch import JobId


class Journal(Protocol):
    """All of it may raise `StateError`; nothing was written then."""

    def open(self, attempt: Attempt) -> Attempt | None:
        """Write a new attempt down, or return the one that stands in its way and write nothing.

        That is the key's own attempt, else an open one of the same user, cluster and mark.
        """
        ...

    def find(self, key: Key) -> Attempt | None: ...

    def reopen(self, key: Key, opened: datetime, doubt_until: datetime) -> None:
        """Begin an open attempt anew, that has certainly made no job."""
        ...

    def place(self, key: Key, placed: Placed) -> None:
        """Close it: its job is known. Of one that is placed already, tell more of the same job."""
        ...

    def free(self, key: Key) -> None:
        """Forget an open attempt that has certainly made no job; one that is placed stays."""
        ...

    def unsettled(self) -> Sequence[Attempt]:
        """Return those that are open, the oldest first."""
        ...

    def known(self, attempt: Attempt) -> frozenset[JobId]:
        """Return the jobs of other attempts of the same user, cluster and mark."""
        ...

    def marked(self, cluster: str, marks: Collection[str]) -> Sequence[Attempt]:
        """Return the attempts with any of these marks, open and placed, of whichever owner."""
        ...

    def job_of(self, cluster: str, job: JobId, submitted: datetime) -> Placed | None:
        """Return what was noted of a job that was handed in here; numbers come again."""
        ...

    def forget(self, before: datetime) -> None:
        """Let those go that were opened before a moment and are placed; open ones stay."""
        ...
