"""A job as both sides of Slurm see it, for fakes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waldur_slurm.model.jobs import JobRecord, Run
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import Tres

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class FakeJob:
    """A job as slurmctld and the accounting see it together."""

    id: str
    account: AccountName
    user: UserName
    allocated: Tres
    start: datetime | None = None
    end: datetime | None = None
    state: str = "PENDING"
    submitted: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    paused: list[Window] = field(default_factory=list)
    """When it was suspended; a suspension that is not over ends with time itself."""
    resized: datetime | None = None
    """When it was made smaller: since then its record is as of a job submitted at that time."""

    @property
    def run(self) -> Run:
        return Run(self.id, self.submitted)

    def clipped(self, window: Window) -> JobRecord | None:
        """Its part in `window`, as `sacct --truncate` gives it: it clips open ones there too."""
        if self.start is None:
            return None
        start = max(self.start, window.start)
        end = min(self.end or window.end, window.end)
        if end <= start:
            return None
        held = end - start
        for pause in self.paused:
            if pause.end != FOREVER:
                held -= max(min(end, pause.end) - max(start, pause.start), timedelta())
        return JobRecord(
            id=self.id,
            account=self.account,
            user=self.user,
            state=self.state,
            submitted=self.resized or self.submitted,
            start=start,
            end=end,
            seconds=int(held.total_seconds()),
            allocated=self.allocated,
            requested=self.allocated,
        )
