"""All that a turn knows of one cluster, and what that says of one SlurmJob's job. Pure.

It is there, it is not, or nobody can say. What is not there counts only in an answer that is
younger than the last attempt to hand it in; what was there and is not any more, only after it was
missing for a while, and longer where many are: a reader that fails shows just that.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from waldur_slurm.operator.jobs import status
from waldur_slurm.operator.jobs.memory import Memory, note_since
from waldur_slurm.operator.jobs.placement import Placed, place
from waldur_slurm.operator.jobs.pods import Companions
from waldur_slurm.operator.jobs.port import ClusterFacts, Found, SeenJob
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import CLUSTER, SlurmJob

MISSING_FOR = timedelta(minutes=1)
MANY_MISSING_FOR = timedelta(minutes=5)
FEW = 3
"""So many may vanish at once without anybody wondering."""


class Absence(Enum):
    NEVER = "never there"
    LOST = "there before, and not any more"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Nobody can say; `is_tried`: it was handed in, and that again would settle it.

    `is_shut`: its own way to Slurm is, and others' may be open.
    """

    why: str
    is_tried: bool = False
    is_shut: bool = False


Answer = SeenJob | Absence | Doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """`found` is None where nothing was asked."""

    kubernetes: str
    """Its own uid."""
    cluster: Cluster
    clusters: Mapping[str, Cluster]
    now: datetime
    found: Found | None
    facts: ClusterFacts | None = None
    memory: Memory = field(default_factory=Memory)
    companions: Companions | None = None
    """None where nobody looked."""
    known: int = 0
    """How many jobs were there that have not ended, as far as their SlurmJobs say."""

    def mark_of(self, job: SlurmJob) -> str:
        return Identity(self.kubernetes, job.uid).mark

    def with_found(self, found: Found, facts: ClusterFacts | None) -> "Sight":
        return replace(self, found=found, facts=facts)

    def with_companions(self, companions: Companions) -> "Sight":
        return replace(self, companions=companions)

    def answer(self, job: SlurmJob) -> Answer:
        mark, found = self.mark_of(job), self.found
        if found is None:
            return Doubt("nobody was asked")
        seen = found.jobs.get(mark)
        if seen and seen.ref.mark != mark:
            return Doubt("what was found has another mark")
        if seen:
            return Absence.NEVER if self._is_copied(job, seen) else seen
        if mark in found.absent:
            return self._absence(job, found)
        is_shut = mark in found.shut
        why = found.shut[mark] if is_shut else found.said or "nobody can say"
        return Doubt(why, mark in found.tried, is_shut)

    def _absence(self, job: SlurmJob, found: Found) -> Absence | Doubt:
        """Say what it means that there is none."""
        attempt = self.memory.attempts.get(job.uid)
        if attempt and found.as_of <= attempt.last:
            return Doubt("the answer is older than the attempt")
        if not was_there(job):
            return Absence.NEVER
        if status.is_complete(job):
            return Absence.LOST
        return Absence.LOST if self._is_lost(job) else Doubt("it was there a moment ago")

    def _is_copied(self, job: SlurmJob, seen: SeenJob) -> bool:
        """Whether somebody else put the mark on a job of his before any was handed in with it."""
        if job.is_held or CLUSTER in job.annotations or was_there(job):
            return False
        placed = place(job, self.clusters)
        return isinstance(placed, Placed) and placed.user not in ("", seen.ref.user)

    def remember(self, jobs: Collection[SlurmJob]) -> None:
        """Note since when something is missing, or not known."""
        memory = self.memory
        for job in jobs:
            note_since(memory.missing, job.uid, self.now, holds=self.is_missing(job))
        for job in jobs:
            answer = self.answer(job)
            note_since(memory.doubtful, job.uid, self.now, holds=isinstance(answer, Doubt))
            if isinstance(answer, SeenJob):
                memory.attempts.pop(job.uid, None)

    def is_missing(self, job: SlurmJob) -> bool:
        """Whether it was there, had not ended, and this answer does not have it."""
        is_absent = self.found is not None and self.mark_of(job) in self.found.absent
        return is_absent and was_there(job) and not status.is_complete(job)

    def _is_lost(self, job: SlurmJob) -> bool:
        since = self.memory.missing.get(job.uid, self.now)
        patience = MANY_MISSING_FOR if self.are_many_missing else MISSING_FOR
        return self.now - since >= patience

    @property
    def are_many_missing(self) -> bool:
        """Whether so many vanished at once that the reader is to be doubted."""
        missing = len(self.memory.missing)
        return missing > FEW and missing * 2 >= self.known

    def doubted_for(self, job: SlurmJob) -> timedelta:
        return self.now - self.memory.doubtful.get(job.uid, self.now)


def was_there(job: SlurmJob) -> bool:
    """Whether its status says that it had a job: that keeps it from having another."""
    return bool(job.status.get("jobId"))
