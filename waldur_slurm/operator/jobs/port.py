"""What the operator asks of a Slurm, whichever way it is reached.

Three answers to one question are kept apart: it is there, it is not, and nobody can say.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.job_state import JobState

Stream = Literal["out", "err"]


class JobsError(ExpectedError):
    """A Slurm did not do what was asked of it."""


class Refused(JobsError):
    """It will not, for good; the words are Slurm's, or the gateway's."""


class Unreached(JobsError):
    """Nothing was done, and it may be asked again."""


class NotAllowed(JobsError):
    """Nothing was done, and nothing will be until an administrator lets the operator do it."""


class OutcomeUnknown(JobsError):
    """It may have been done: look before it is asked again."""


class AnotherJob(JobsError):
    """There is a job of that number, but it is another's; it was left alone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job to hand in. `key`: handed in twice, it is the same job."""

    key: str
    mark: str
    script: str
    user: str
    options: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobRef:
    """Exactly one job: numbers come again, the moments of submission with them do not."""

    job_id: str
    submitted: datetime | None
    mark: str
    user: str


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How the tasks of an array stand."""

    total: int
    pending: int
    running: int
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A job as Slurm has it."""

    ref: JobRef
    state: JobState
    reason: str = ""
    is_held: bool = False
    """Whether it waits and will not start before it is released, whatever the reason says."""
    exit_code: int | None = None
    signal: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    nodes: str = ""
    account: str = ""
    partition: str = ""
    work_dir: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    tasks: TaskCounts | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What one look told, by marks. What is in neither of the three was not asked for."""

    as_of: datetime
    """How old the answer is: what was attempted later it does not know of."""
    jobs: Mapping[str, SeenJob]
    absent: frozenset[str]
    unknown: frozenset[str]
    said: str = ""
    """Why something is unknown."""
    tried: frozenset[str] = frozenset()
    """Of the unknown, where Slurm did answer: they were handed in, and what came of it is open. To
    hand them in again under their key settles that, and makes no second job."""
    shut: Mapping[str, str] = field(default_factory=dict)
    """Of the unknown, whose own way to Slurm is shut, and why: that says nothing of others'."""

    @property
    def is_silent(self) -> bool:
        """Whether Slurm itself, or what stands before it, said nothing of anything."""
        is_heard = bool(self.jobs or self.absent or self.tried)
        return not is_heard and bool(self.unknown - self.shut.keys())


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What is true of a Slurm as a whole."""

    version: str
    keeps_comments: bool
    """Whether the accounting keeps marks; else they are gone soon after the job has ended."""
    min_job_age: timedelta


class Jobs(Protocol):
    """All of it may raise `JobsError`, and nothing else."""

    def read_facts(self) -> ClusterFacts: ...

    def submit(self, wanted: Wanted) -> JobRef:
        """Hand it in once, however often it is asked."""
        ...

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:
        """Tell of all of them in one reading; where Slurm is silent, all of them are unknown.

        `since`: none of them was handed in earlier, so nobody has to look further back.
        """
        ...

    def list_marked(self, prefix: str) -> Found:
        """Tell of all jobs that have not ended and whose marks begin so; nothing is absent."""
        ...

    def cancel(self, job: JobRef) -> None:
        """End that job and no other; that it is over, or gone, is no error."""
        ...

    def hold(self, job: JobRef) -> None:
        """Keep one that waits from starting."""
        ...

    def release(self, job: JobRef) -> None: ...

    def requeue_held(self, job: JobRef) -> None:
        """End its run and keep it, under its number, from starting anew."""
        ...

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        """Return the last bytes that it wrote to `out` or `err`."""
        ...

    def make_token(self, job: JobRef, lifetime: timedelta) -> str:
        """Return a token that reads this job's output and files, and does nothing else."""
        ...
