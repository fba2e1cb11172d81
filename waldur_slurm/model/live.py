"""Jobs as slurmctld knows them now: waiting, running, and those that ended a moment ago.

Whatever users choose (names, comments, paths) is here as they wrote it, and may be anything.
Empty text stands for what Slurm does not say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres


class ExitCode(NamedTuple):
    """What a batch script left, and the signal that ended it, 0 for none."""

    code: int
    signal: int

    def __str__(self) -> str:
        return f"{self.code}:{self.signal}"


class LiveJob(NamedTuple):
    """One row of the queue; tasks of an array that still wait are one row together.

    `number` is the one that slurmctld itself counts by: a task of an array has one of its own.
    Of a job that waits, `tres` and `cpus` are what it asks for, and `start` is when Slurm expects
    it to begin. Of one that runs, `end` is when its time limit ends it; without a limit, None. One
    without a limit that backfill starts is given a year by Slurm. (A tuple, since fifty thousand
    are made at a time, and nothing is made faster; first what differs from job to job, then, from
    `state` on, what many have in common.)
    """

    id: JobId
    number: int
    submitted: datetime
    eligible: datetime | None
    start: datetime | None
    end: datetime | None
    considered: datetime | None
    """When the scheduler looked at it last."""
    elapsed_s: int
    """Without the time that it was suspended; as of the reading."""
    priority: int
    hosts: str
    batch_host: str
    stdout: str
    stderr: str
    command: str
    work_dir: str
    comment: str
    name: str
    state: JobState
    reason: str
    exit: ExitCode
    limit_s: int | None
    uid: int
    gid: int
    user: UserName
    account: AccountName
    partition: str
    """One that waits may name several, with commas."""
    qos: str
    nice: int
    restarts: int
    may_requeue: bool
    node_count: int
    cpus: int
    tasks: int | None
    tres: Tres
    tres_per_node: str
    requested_hosts: str
    scheduled_hosts: str
    features: str
    reservation: str
    licenses: str
    dependency: str
    wckey: str
    association: int
    """The accounting's number for who pays; 0 where nobody does."""
    profile: str
    """What of it is sampled, such as `Energy,Task`; `NotSet` where that was left to the site."""

    @property
    def run(self) -> Run:
        """What this run is known by; numbers come again."""
        return Run(str(self.id), self.submitted)


@dataclass(frozen=True, slots=True)
class UnreadableJob:
    """A row that is not understood: there is a job, and nothing is known of it."""

    cells: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class JobListing:
    """All jobs of one reading."""

    jobs: tuple[LiveJob, ...]
    unreadable: tuple[UnreadableJob, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeShare:
    """What a job holds on each of `hosts`."""

    hosts: str
    cpu_ids: str
    """Slurm's numbers of the CPUs, such as `0-3,8`."""
    memory_mib: int
    gres: str

    @property
    def cpus(self) -> int:
        return sum(map(len, self._spans))

    @property
    def cpu_numbers(self) -> Iterator[int]:
        return (number for span in self._spans for number in span)

    @property
    def _spans(self) -> Iterator[range]:
        for part in filter(None, self.cpu_ids.split(",")):
            first, _, last = part.partition("-")
            yield range(int(first), int(last or first) + 1)
