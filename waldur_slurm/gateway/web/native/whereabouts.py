"""A job found wherever it is: in slurmctld's list, or in the accounting once it left that.

Nothing here asks who may see it: whoever finds one looks at whose it is before he says anything.
"""

from dataclasses import dataclass, replace
from time import monotonic

from waldur_slurm.gateway.doors.principals import OneJob
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import REQUEUED_WITHIN, PastJob


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The rows of a job, or what is past of it; neither: there is no such job."""

    rows: tuple[LiveJob, ...]
    past: tuple[PastJob, ...]
    seen: Seen[JobsNow]


async def find(ask: Ask, wanted: JobId) -> Whereabouts:
    """Believe that there is none only where a list younger than the question has none.

    The accounting alone would do for no job: it hears of one seconds after it was handed in.
    """
    asked_at = monotonic()
    seen = await ask.see(ask.cluster.jobs)
    rows = seen.picture.value.find(wanted)
    if not rows:
        seen = await ask.see_after(ask.cluster.jobs, asked_at)
        rows = seen.picture.value.find(wanted)
    past = () if rows else await recall(ask, wanted, seen)
    return Whereabouts(rows, past, seen)


async def recall(ask: Ask, wanted: JobId, seen: Seen[JobsNow]) -> tuple[PastJob, ...]:
    """Ask the accounting; raises `NotNow` where the job may be there all the same."""
    if seen.silence:
        raise NotNow(f"slurmctld does not answer, so job {wanted} may be there: {seen.silence}")
    past = await ask.past.jobs.find(wanted, seen.picture.began, ask.site.crossing.accounting)
    if past is None and seen.picture.value.unreadable:
        raise NotNow(f"job {wanted} may be one of those whose rows are not understood")
    if past is None and ask.cluster.doubt:
        raise NotNow(f"job {wanted} may be there: {ask.cluster.doubt}")
    return past or ()


async def within_reach(ask: Ask, found: Whereabouts) -> Whereabouts:
    """Leave what whoever asks may look at by a token for one job; without such a one, all of it.

    A requeued job has a new time of submission, and is the same job all the same.
    """
    bound = ask.principal.job
    if bound is None:
        return found
    if bound.cluster != ask.cluster.name:
        return replace(found, rows=(), past=())
    past = found.past
    if any(row.restarts for row in found.rows):
        past = await recall(ask, JobId(bound.number), found.seen)
    its = tuple(job for job in past if _is_bound(job, bound))
    rows = tuple(
        row
        for row in found.rows
        if row.id.number == bound.number
        and (row.submitted == bound.submitted or any(_goes_on(job, row) for job in its))
    )
    return replace(found, rows=rows, past=() if found.rows else its)


def _is_bound(past: PastJob, bound: OneJob) -> bool:
    times = (run.submitted for run in past.runs)
    return past.id.number == bound.number and bound.submitted in times


def _goes_on(past: PastJob, row: LiveJob) -> bool:
    """Whether the row is a later run of what the accounting has."""
    if past.id != row.id:
        return False
    end = past.last.end
    is_next = end is not None and end <= row.submitted <= end + REQUEUED_WITHIN
    return is_next or row.submitted == past.last.submitted
