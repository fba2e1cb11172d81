"""A managed job: a directory with a script of its user's, and each time that it was started. Pure.

Whether a job is started is never kept: it follows from its last run and what Slurm says of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from waldur_slurm.model.names import UserName

SCRIPT = "batch.sh"
REFUSED = "REFUSED"
"""How a run ended that Slurm would not have."""

UNKNOWN = "UNKNOWN"
"""How a run ended of which neither slurmctld nor the accounting knows any more."""


class Stage(StrEnum):
    """A job that is not `ready` is nobody's to see: it is being made, or on its way out."""

    MAKING = "making"
    READY = "ready"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, as far as anybody knows; `state` is Slurm's base word, or one of ours."""

    state: str
    exit_code: int | None = None
    exit_signal: int | None = None
    began: datetime | None = None
    ended: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One start of a job; `id` is the key that it is submitted by, once.

    Without a `slurm_id` nobody has heard yet whether Slurm has it.
    """

    id: str
    number: int
    asked: datetime
    slurm_id: int | None = None
    account: str = ""
    stdout: str = ""
    """Where its standard output is; empty as long as only Slurm knows."""
    end: End | None = None


@dataclass(frozen=True, slots=True)
class ManagedJob:
    """`runs`, the oldest first."""

    id: str
    app: str
    user: UserName
    uid: int
    name: str
    made: datetime
    stage: Stage = Stage.MAKING
    runs: tuple[Run, ...] = ()

    @property
    def last(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    @property
    def open_run(self) -> Run | None:
        """The last one, where nobody knows yet that it ended."""
        return self.last if self.last and self.last.end is None else None

    @property
    def newest_submitted(self) -> Run | None:
        """The last one that Slurm has, or had."""
        return next((run for run in reversed(self.runs) if run.slurm_id is not None), None)


class Jobs(Protocol):
    """Where managed jobs are kept; each may raise `StateError`."""

    def add(self, job: ManagedJob) -> None:
        """Keep a new one, without runs."""
        ...

    def take_over(self, job: ManagedJob) -> None:
        """Keep one that is there already, with its runs: all of it, or nothing."""
        ...

    def find(self, app_id: str, job_id: str) -> ManagedJob | None: ...

    def of_app(self, app_id: str) -> Sequence[ManagedJob]:
        """Return those that are ready, the oldest first."""
        ...

    def unsettled(self) -> Sequence[ManagedJob]:
        """Return those of all apps that are not ready, or have a run not known to be sent."""
        ...

    def set_stage(self, job_id: str, stage: Stage) -> None: ...

    def add_run(self, job_id: str, run: Run, script: str) -> None:
        """Write down what is about to be handed in; what is handed in again is the same."""
        ...

    def script_of(self, run_id: str) -> str:
        """Return the script of a run that is not known to be submitted."""
        ...

    def drop_run(self, run_id: str) -> None:
        """Forget one that Slurm certainly has not."""
        ...

    def note_submitted(self, run_id: str, slurm_id: int) -> None: ...

    def note_seen(self, run_id: str, account: str, stdout: str) -> None:
        """Note what Slurm alone knew; what is known already stays."""
        ...

    def note_end(self, run_id: str, end: End) -> None:
        """Note it of a run of which none is known; the first one counts."""
        ...

    def forget(self, job_id: str) -> None: ...
