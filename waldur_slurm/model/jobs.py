"""Jobs as the queue shows them now, and as the accounting records them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres


class Run(NamedTuple):
    """What one allocation is known by, in the queue and in the records: job numbers come again."""

    id: str
    submitted: datetime

    def continues(self, queued: "Run") -> bool:
        """Whether this record may be of that job in the queue.

        One that was made smaller goes on in a record of its own, as if submitted just then.
        """
        return self.id == queued.id and self.submitted >= queued.submitted


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that slurmctld knows and that has not ended."""

    id: str
    account: AccountName
    user: UserName
    state: str
    submitted: datetime

    @property
    def is_pending(self) -> bool:
        return self.state == "PENDING"

    @property
    def run(self) -> Run:
        return Run(self.id, self.submitted)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One allocation's part inside the window that was asked for, clipped to it.

    `seconds` is the time the resources were held in that window, the suspensions that are over
    taken out. `end` is the window's where the allocation lasted longer: only `is_open` says
    whether the accounting has no end for it yet.
    """

    id: str
    account: AccountName
    user: UserName
    state: str
    submitted: datetime
    start: datetime | None
    end: datetime | None
    seconds: int
    allocated: Tres
    requested: Tres

    @property
    def run(self) -> Run:
        return Run(self.id, self.submitted)

    @property
    def is_open(self) -> bool:
        return self.state in ("RUNNING", "SUSPENDED")

    @property
    def is_suspended(self) -> bool:
        """Suspended now: this suspension is not over, and not taken out of `seconds`."""
        return self.state == "SUSPENDED"

    def until(self, moment: datetime) -> "JobRecord":
        """Return it without what lies after `moment`."""
        if self.end is None or self.end <= moment:
            return self
        end = max(moment, self.start or moment)
        late = int((self.end - end).total_seconds())
        return replace(self, end=end, seconds=max(0, self.seconds - late))


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A line that is not a job record; whoever is named in one of its `cells` is in doubt."""

    cells: tuple[str, ...]
    reason: str
