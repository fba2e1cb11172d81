"""Why a job waits: Slurm's word read, what of the cluster bears it out, what can be done. Pure."""

from dataclasses import dataclass

from waldur_slurm.gateway.reasons.evidence import facts_of
from waldur_slurm.gateway.reasons.scene import Fact, Scene, waits
from waldur_slurm.gateway.reasons.words import Category, meaning_of
from waldur_slurm.model.live import LiveJob


@dataclass(frozen=True, slots=True)
class Reason:
    """`word` is Slurm's own; `passes`: it can end without anybody doing anything."""

    word: str
    category: Category
    whose: str
    says: str
    evidence: tuple[Fact, ...]
    advice: str
    passes: bool


def explain(job: LiveJob, scene: Scene) -> Reason | None:
    """Say why it waits; of one that does not wait, nothing."""
    if not waits(job):
        return None
    meaning = meaning_of(job.reason)
    return Reason(
        word=job.reason,
        category=meaning.category,
        whose=meaning.whose,
        says=meaning.says,
        evidence=facts_of(job, meaning.category, scene),
        advice=meaning.advice,
        passes=meaning.passes,
    )
