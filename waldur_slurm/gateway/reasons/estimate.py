"""When a job that waits may start: what Slurm expects, how old that is, or that nobody knows. Pure.

Slurm's backfill makes the estimate when it comes by a job, and does not take it back. So one that
has passed says nothing; and one of a job that somebody has to release says nothing either.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from waldur_slurm.gateway.reasons.scene import shown, waits
from waldur_slurm.gateway.reasons.words import Category, meaning_of
from waldur_slurm.model.live import LiveJob


class Kind(Enum):
    EXPECTED = "expected"
    NOT_BEFORE = "not_before"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Estimate:
    """`looked_at`: when Slurm's scheduler considered the job last, which is how old `start` is."""

    kind: Kind
    start: datetime | None
    looked_at: datetime | None
    says: str


_NEVER = "It does not start before somebody does something."
_LATER = {
    (Category.HELD, False): "It starts some time after it is released.",
    (Category.IMPOSSIBLE, False): "It never starts as it is.",
    (Category.DEPENDENCY, False): "It never starts as it is.",
    (Category.DEPENDENCY, True): "It starts some time after the jobs that it depends on.",
}


def estimate(job: LiveJob, now: datetime) -> Estimate | None:
    """Say when it may start; of one that does not wait, nothing."""
    if not waits(job):
        return None
    meaning = meaning_of(job.reason)
    if meaning.category is Category.BEGIN_TIME:
        return _not_before(job, now)
    if not meaning.passes or meaning.category is Category.DEPENDENCY:
        says = _LATER.get((meaning.category, meaning.passes), _NEVER)
        return Estimate(Kind.UNKNOWN, None, job.considered, says)
    return _expected(job, now)


def _not_before(job: LiveJob, now: datetime) -> Estimate:
    """A time that was asked for is the earliest, and says nothing of when there is room."""
    moment = job.start or job.eligible
    if moment is None or moment <= now:
        return _unknown(job, "Its time has come; Slurm has not planned it yet.")
    says = f"Not before {shown(moment)}, the time that was asked for."
    return Estimate(Kind.NOT_BEFORE, moment, job.considered, says)


def _expected(job: LiveJob, now: datetime) -> Estimate:
    if job.start is None:
        return _unknown(job, _unplanned(job))
    if job.start <= now:
        says = (
            f"Slurm expected it at {shown(job.start)}; that has passed, and it says nothing newer."
        )
        return _unknown(job, says)
    age = ""
    if job.considered is not None:
        age = f", as of {_ago((now - job.considered).total_seconds())}"
    says = f"Slurm expects it at {shown(job.start)}{age}; earlier or later, as others end and come."
    return Estimate(Kind.EXPECTED, job.start, job.considered, says)


def _unplanned(job: LiveJob) -> str:
    if job.considered is None:
        return "Slurm's scheduler has not looked at it yet."
    return (
        "Slurm has no estimate: it plans only the first jobs of the queue, and not too far ahead."
    )


def _unknown(job: LiveJob, says: str) -> Estimate:
    return Estimate(Kind.UNKNOWN, None, job.considered, says)


def _ago(seconds: float) -> str:
    if seconds < 1:
        return "now"
    if seconds < 120:
        return f"{int(seconds)} seconds ago"
    return f"{int(seconds // 60)} minutes ago"
