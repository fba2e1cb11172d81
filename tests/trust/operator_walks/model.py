"""What a walk before an operator holds it to, on fakes and on real parts alike.

One SlurmJob has one job at most, what nobody deleted is cancelled by nobody, and in the end each
SlurmJob is told as it is, while what is deleted is gone, and its job over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.model.slurm_job import SlurmJob

TOLD = {
    "PENDING": "Submitted",
    "RUNNING": "Running",
    "COMPLETED": "Succeeded",
    "FAILED": "Failed",
    "TIMEOUT": "Failed",
    "CANCELLED": "Cancelled",
}


@dataclass(frozen=True)
class Job:
    """One in Slurm, handed in for a SlurmJob, as Slurm has it."""

    cluster: str
    number: int
    state: JobState
    is_held: bool


JobsByUid = Mapping[str, Sequence[Job]]
"""All that were ever handed in, the ended ones too."""


@dataclass
class Model:
    """Which SlurmJobs, by their uids, had something done to them that changes what is expected."""

    deleted: set[str] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)
    """Of which it was said at some time that their jobs run on."""
    forged: set[str] = field(default_factory=set)
    strayed: set[str] = field(default_factory=set)
    """Whose tenant removed or forged what says for which cluster it was accepted."""
    ended: set[str] = field(default_factory=set)
    """Whose jobs somebody cancelled in Slurm."""
    is_refused: bool = False
    """Whether Slurm refused jobs for a while."""

    def wrong_at_any_time(self, jobs: JobsByUid) -> Iterator[str]:
        for uid, those in jobs.items():
            places = [job.cluster for job in those]
            if len(places) != len({*places}) or (len(places) > 1 and uid not in self.strayed):
                yield f"{uid} has more than one job: {those}"
            is_ours = uid not in self.deleted | self.strayed | self.ended
            if is_ours and any(job.state.base == "CANCELLED" for job in those):
                yield f"{uid} was deleted by nobody, and is cancelled: {those}"

    def wrong_in_the_end(self, there: Mapping[str, SlurmJob], jobs: JobsByUid) -> Iterator[str]:
        """`there` is what is left in Kubernetes."""
        yield from self.wrong_at_any_time(jobs)
        for uid in self.deleted & there.keys() - self.forged:
            yield f"{uid} was not let go"
        for uid in jobs.keys() - there.keys() - self.orphans:
            if not all(job.state.is_terminal for job in jobs[uid]):
                yield f"{uid} is gone, and its job is not: {jobs[uid]}"
        for uid in self.told(there):
            if (wrong := self._untrue(there[uid], jobs.get(uid, ()))) is not None:
                yield f"{uid} is not as it is told: {wrong}"

    def told(self, there: Mapping[str, SlurmJob]) -> set[str]:
        """Those of which what is told can be held to the truth."""
        return there.keys() - self.forged - self.deleted

    def _untrue(self, told: SlurmJob, jobs: Sequence[Job]) -> object:
        status, is_suspended = told.status, told.spec.suspend
        if not jobs:
            is_refused = self.is_refused and status.get("reason") == "Refused"
            waits = is_suspended and status.get("phase") == "Pending"
            return None if is_refused or waits else status
        job = jobs[-1]
        tells = status.get("phase"), status.get("jobId")
        if tells != (TOLD.get(job.state.base), str(job.number)):
            return status, job
        if status.get("cluster") != job.cluster and told.uid not in self.strayed:
            return status, job
        is_steered = job.state.is_terminal or job.is_held is is_suspended
        return None if is_steered else (told, job)
