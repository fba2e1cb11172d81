"""Jobs as the accounting remembers them, each with all its runs, and what a run used.

Whatever users choose (names, comments, paths) is here as they wrote it, and may be anything.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres

REQUEUED_WITHIN = timedelta(hours=1)
"""How long cleaning up after a run may take; no number of a job comes again so soon."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run of a job, from its submission to its end; None is what the accounting lacks."""

    id: JobId
    state: JobState
    user: UserName
    account: AccountName
    association: int | None
    partition: str
    qos: str
    submitted: datetime
    eligible: datetime | None
    start: datetime | None
    end: datetime | None
    elapsed_s: int
    limit_s: int | None
    exit: ExitCode
    node_count: int
    cpus: int
    hosts: str
    allocated: Tres
    requested: Tres
    name: str = ""
    comment: str = ""
    work_dir: str = ""
    number: int | None = None
    """What slurmctld itself counts by: a task of an array has one of its own."""
    uid: int | None = None
    priority: int | None = None

    @property
    def names(self) -> frozenset[JobId]:
        """What it may be asked for by: itself, the whole that it is of, its own bare number."""
        bare = () if self.number is None else (JobId(self.number),)
        return frozenset((self.id, self.id.whole, *bare))

    def precedes(self, later: "PastRun") -> bool:
        """Whether the job was put back into the queue then: a new run is submitted at that end.

        Slurm stamps it when the run has been cleaned up, which an epilog may delay.
        """
        if self.end is None or (self.id, self.user) != (later.id, later.user):
            return False
        return self.end <= later.submitted <= self.end + REQUEUED_WITHIN


class Position(NamedTuple):
    """Where a job stands among others, the newest last."""

    submitted: datetime
    number: int
    id: str


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job with its runs, the oldest first; more than one where it was requeued."""

    runs: tuple[PastRun, ...]

    @property
    def last(self) -> PastRun:
        return self.runs[-1]

    @property
    def id(self) -> JobId:
        return self.last.id

    @property
    def submitted(self) -> datetime:
        """When it was handed in; later runs have later times of submission of their own."""
        return self.runs[0].submitted

    @property
    def position(self) -> Position:
        return Position(self.submitted, self.id.number, str(self.id))


@dataclass(frozen=True, slots=True)
class UnreadablePast:
    """A record that is not understood: there is one, and nothing is known of it."""

    cells: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class PastQuery:
    """Jobs that waited, ran or ended in `[since, until)`; what is empty does not restrict.

    An id stands for all its parts. States are base states, such as `CANCELLED`.
    """

    since: datetime
    until: datetime
    users: frozenset[UserName] = frozenset()
    accounts: frozenset[AccountName] = frozenset()
    partitions: frozenset[str] = frozenset()
    qos: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    ids: frozenset[JobId] = frozenset()
    first: int | None = None
    """The lowest number of a job, itself included."""
    last: int | None = None
    """The highest number of a job, itself included."""

    def wants(self, job: PastJob) -> bool:
        run = job.last
        return (
            _is_among(run.user, self.users)
            and _is_among(run.account, self.accounts)
            and _is_among(run.qos, self.qos)
            and _is_among(run.state.base, self.states)
            and _is_among(run.name, self.names)
            and (not self.partitions or not self.partitions.isdisjoint(run.partition.split(",")))
            and (not self.ids or not self.ids.isdisjoint(run.names))
            and (self.first is None or run.id.number >= self.first)
            and (self.last is None or run.id.number <= self.last)
        )


def _is_among(value: object, wanted: Collection[object]) -> bool:
    return not wanted or value in wanted


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, the newest first, and after which position the next page begins, if any."""

    jobs: tuple[PastJob, ...]
    after: Position | None
    unreadable: tuple[UnreadablePast, ...] = ()


@dataclass(frozen=True, slots=True)
class PastStep:
    """A step of a job's last run: what it used is known once it has ended.

    `gpu_utilization` is a percentage summed over GPUs; both of GPUs are None where the site does
    not gather them.
    """

    job: JobId
    step: str
    state: JobState
    start: datetime | None
    end: datetime | None
    elapsed_s: int
    cpus: int
    tasks: int | None
    cpu_seconds: float
    most_memory_bytes: int | None
    gpu_utilization: int | None
    most_gpu_memory_bytes: int | None
    name: str = ""
    memory_bytes: int | None = None
    """The peaks of all its tasks together; `most_memory_bytes` is the largest one's."""


@dataclass(frozen=True, slots=True)
class PastOutput:
    """What a job's output was to be called, as it was asked for; empty: nothing was asked for."""

    job: JobId
    submitted: datetime
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the accounting."""

    name: UserName
    default_account: AccountName | None
    level: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the cluster; `parent` is None of the one above all others."""

    name: AccountName
    parent: AccountName | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's association with an account; an empty partition is all of them."""

    id: int
    account: AccountName
    user: UserName
    partition: str
    qos: tuple[str, ...] = field(default=())
    default_qos: str = ""
