"""A job found wherever it is: in slurmctld's list, or in the accounting once it left that.

What is not shown to whoever asks is as what is not there, and takes as long.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from time import monotonic

from waldur_slurm.gateway.doors.principals import OneJob
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import REQUEUED_WITHIN, PastJob

Shown = Callable[[frozenset[UserName]], Awaitable[Collection[UserName]]]
"""Says of whom of these users the jobs are shown."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The rows of a job, or what is past of it; neither: there is none that is shown."""

    rows: tuple[LiveJob, ...]
    past: tuple[PastJob, ...]
    seen: Seen[JobsNow]


async def find(ask: Ask, wanted: JobId, shown: Shown) -> Whereabouts:
    """Believe that there is none only where a list younger than the question has none.

    The accounting alone would do for no job: it hears of one seconds after it was handed in.
    """
    asked_at = monotonic()
    seen = await ask.see(ask.cluster.jobs)
    rows = await _rows(ask, wanted, seen, shown)
    if not rows:
        seen = await ask.see_after(ask.cluster.jobs, asked_at)
        rows = await _rows(ask, wanted, seen, shown)
    past = () if rows else await _past(ask, wanted, seen, shown)
    return Whereabouts(rows, past, seen)


async def _rows(ask: Ask, wanted: JobId, seen: Seen[JobsNow], shown: Shown) -> tuple[LiveJob, ...]:
    found = seen.picture.value.find(wanted)
    users = await shown(frozenset(row.user for row in found))
    rows = tuple(row for row in found if row.user in users)
    bound = ask.principal.job
    return rows if bound is None or not rows else await _of_one_job(ask, bound, rows, seen)


async def _past(ask: Ask, wanted: JobId, seen: Seen[JobsNow], shown: Shown) -> tuple[PastJob, ...]:
    found, bound = await recall(ask, wanted, seen), ask.principal.job
    users = await shown(frozenset(job.last.user for job in found))
    past = tuple(job for job in found if job.last.user in users)
    return past if bound is None else _bound(ask, bound, past)


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


async def _of_one_job(
    ask: Ask, bound: OneJob, rows: tuple[LiveJob, ...], seen: Seen[JobsNow]
) -> tuple[LiveJob, ...]:
    """Leave the rows of the job that a token is for.

    A requeued job has a new time of submission, and is the same job all the same.
    """
    if (bound.cluster, bound.number) != (ask.cluster.name, rows[0].id.number):
        return ()
    before: tuple[PastJob, ...] = ()
    if any(row.restarts for row in rows):
        before = _bound(ask, bound, await recall(ask, JobId(bound.number), seen))
    return tuple(
        row
        for row in rows
        if row.submitted == bound.submitted or any(_goes_on(job, row) for job in before)
    )


def _bound(ask: Ask, bound: OneJob, past: Collection[PastJob]) -> tuple[PastJob, ...]:
    """Leave what is past of the job that a token is for."""
    return tuple(
        job
        for job in past
        if (bound.cluster, bound.number) == (ask.cluster.name, job.id.number)
        and any(run.submitted == bound.submitted for run in job.runs)
    )


def _goes_on(past: PastJob, row: LiveJob) -> bool:
    """Whether the row is a later run of what the accounting has."""
    if past.id != row.id:
        return False
    end = past.last.end
    is_next = end is not None and end <= row.submitted <= end + REQUEUED_WITHIN
    return is_next or row.submitted == past.last.submitted
