"""How a SlurmJob ends: deleted, and its job in Slurm with it. Pure.

It is held until its job was seen over, or seen not to be there; where nobody can say it stays,
unless a person lets it go. What carries a mark of this Kubernetes though there is no such SlurmJob
any more was let go by others, and is cancelled as well: slowly, and never on one look alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from waldur_slurm.operator.jobs import status, words
from waldur_slurm.operator.jobs.phases import is_over
from waldur_slurm.operator.jobs.port import JobRef, SeenJob
from waldur_slurm.operator.jobs.sight import Absence, Doubt, Sight
from waldur_slurm.operator.jobs.steps import Cancel, Keep, LetGo, SetStatus, Step, Tell
from waldur_slurm.operator.model.identity import read_mark
from waldur_slurm.operator.model.slurm_job import ABANDON, CancelPolicy, SlurmJob

CANCEL_AGAIN = timedelta(seconds=30)
SWEEP_EVERY, SWEEP_AGAIN = timedelta(minutes=5), timedelta(minutes=1)
MOST_SWEPT = 20
"""At once: where more are without a SlurmJob, somebody should look before all are gone."""


def plan_ending(job: SlurmJob, sight: Sight) -> tuple[Step, ...]:
    """Lead one that is deleted to its end."""
    let_go = (LetGo(),) if job.is_held else ()
    match sight.answer(job):
        case SeenJob() as seen if not is_over(seen):
            if job.spec.cancel_policy is CancelPolicy.ORPHAN:
                kept = (Keep(sight.cluster.name), Tell(words.left_running(seen)))
                return (*kept, *let_go) if let_go else ()
            return _cancel(job, seen, sight)
        case SeenJob() | Absence.NEVER | Absence.LOST:
            return let_go
        case Doubt() as doubt:
            return _wait(job, doubt, sight, let_go)


def plan_deserted(job: SlurmJob, now: datetime) -> tuple[Step, ...]:
    """Lead one on whose cluster nobody can be asked: that is not configured any more."""
    if job.is_deleted and _is_abandoned(job):
        return (Tell(words.abandoned(job)), LetGo()) if job.is_held else ()
    return _say(job, words.no_such_cluster(job.place, job), now)


def _cancel(job: SlurmJob, seen: SeenJob, sight: Sight) -> tuple[Step, ...]:
    before = sight.memory.cancelled.get(job.uid)
    if before and sight.now - before < CANCEL_AGAIN:
        return ()
    told = () if before else (Tell(words.cancelling(seen.ref)),)
    return (*told, Cancel(seen.ref))


def _wait(job: SlurmJob, doubt: Doubt, sight: Sight, let_go: tuple[Step, ...]) -> tuple[Step, ...]:
    if _is_abandoned(job):
        return (Tell(words.abandoned(job)), *let_go) if let_go else ()
    if sight.doubted_for(job) < words.LONG_ENOUGH:
        return ()
    return _say(job, unanswered(job, doubt, sight), sight.now)


def unanswered(job: SlurmJob, doubt: Doubt, sight: Sight) -> words.Word:
    """Say of one of which nobody can tell whether that is its own way's trouble, or all's."""
    if doubt.is_shut:
        return words.shut(sight.cluster.name, doubt.why, job)
    return words.unreachable(sight.cluster.name, doubt.why, job)


def _say(job: SlurmJob, word: words.Word, now: datetime) -> tuple[Step, ...]:
    if not status.news(job, [word]):
        return ()
    return (Tell(word.told()), SetStatus(status.noted(job, [word], now)))


def _is_abandoned(job: SlurmJob) -> bool:
    return job.annotations.get(ABANDON, "").lower() in ("true", "yes", "1")


# Jobs without a SlurmJob


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was without a SlurmJob when it was looked for last."""

    at: datetime | None = None
    strays: Mapping[str, JobRef] = field(default_factory=dict)
    tried: datetime | None = None
    """When it was begun in vain."""

    def is_due(self, now: datetime) -> bool:
        is_patient = self.tried is None or now - self.tried >= SWEEP_AGAIN
        return is_patient and (self.at is None or now - self.at >= SWEEP_EVERY)


@dataclass(frozen=True, slots=True)
class Swept:
    """`strays` are to be cancelled; `left` were too many; `over` are kept no longer."""

    strays: tuple[JobRef, ...]
    left: int
    over: frozenset[str]
    next: Sweep


def sweep(
    before: Sweep,
    kubernetes: str,
    marked: Mapping[str, SeenJob],
    there: Collection[str],
    kept: Collection[str],
    now: datetime,
) -> Swept:
    """Judge a whole list of what has not ended; `there` and `kept` are uids."""
    strays: dict[str, JobRef] = {}
    for mark, seen in marked.items():
        identity = read_mark(mark)
        if identity and identity.cluster == kubernetes and seen.ref.mark == mark:
            strays[identity.uid] = seen.ref
    over = frozenset(kept) - strays.keys()
    strays = {uid: ref for uid, ref in strays.items() if uid not in there and uid not in kept}
    twice = [ref for uid, ref in sorted(strays.items()) if uid in before.strays]
    return Swept(
        tuple(twice[:MOST_SWEPT]), max(len(twice) - MOST_SWEPT, 0), over, Sweep(now, strays)
    )
