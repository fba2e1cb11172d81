"""Suspending a job that Slurm has already, and letting it start again. Pure.

It keeps its number. Its status says that we hold it before we do, and that we do not after it was
released, so that whoever is killed in between leaves nothing held; what others hold stays so.
"""

from waldur_slurm.model.job_state import Phase
from waldur_slurm.operator.jobs import status, words
from waldur_slurm.operator.jobs.phases import is_held, is_over
from waldur_slurm.operator.jobs.port import SeenJob
from waldur_slurm.operator.jobs.steps import Steer
from waldur_slurm.operator.jobs.words import Kind, Verb, Word
from waldur_slurm.operator.model.slurm_job import SlurmJob


def plan_holding(job: SlurmJob, seen: SeenJob) -> tuple[Word | None, Steer | None]:
    """Return what is to be said first, and what is to be done then."""
    if is_over(seen):
        return None, None
    if job.spec.suspend:
        return (None, None) if _was_refused(job) else _suspend(seen)
    if not status.is_true(job.status, Kind.SUSPENDED):
        return None, None
    if not is_held(seen):
        return words.resumed(), None
    return None, None if _was_refused(job) else Steer(Verb.RELEASE, seen.ref)


def _suspend(seen: SeenJob) -> tuple[Word | None, Steer | None]:
    verb = Verb.HOLD if seen.state.phase is Phase.PENDING else Verb.REQUEUE_HELD
    return words.suspended(verb), None if is_held(seen) else Steer(verb, seen.ref)


def _was_refused(job: SlurmJob) -> bool:
    """Whether Slurm said no to what the newest wording asks."""
    said = status.condition(job.status, Kind.SUSPENDED) or {}
    is_refusal = said.get("reason") in ("SuspendRefused", "ResumeRefused")
    return is_refusal and said.get("observedGeneration") == job.generation
