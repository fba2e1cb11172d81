"""Jobs that somebody wants to do something to: found, and found to be the ones that are meant.

What is not shown to whoever asks is as what is not there, and takes as long. What is only in the
accounting has ended; what may be there all the same is "not now", never "there is none".
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic

from waldur_slurm.errors import ExpectedError, StateError
from waldur_slurm.gateway.acting.meant import Asked, Known, Meant, absent, judge
from waldur_slurm.gateway.errors import GatewayError, NotNow, NotThere
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.submits.marks import marked
from waldur_slurm.gateway.submits.sought import Sought
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.model.batch import JobId, Tasks
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob

RECALLED_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that slurmctld has no more, and of which the accounting says that it ended."""

    meant: Meant


@dataclass(frozen=True, slots=True)
class Looked:
    """What slurmctld has, when it was asked, by the monotonic clock, and what the journal knows."""

    jobs: JobsNow
    began: float
    noted: Sought | None = None


Found = Meant | Ended | GatewayError
Judge = Callable[[Asked, Collection[Known]], Meant | GatewayError]


async def find_one(ask: Ask, asked: Asked, *, each: bool = False) -> Meant | Ended:
    """Find the job; raises what says why it is not to be touched."""
    (found,) = await find_all(ask, [asked], each=each)
    if isinstance(found, GatewayError):
        raise found
    return found


async def find_all(ask: Ask, asked: Sequence[Asked], *, each: bool = False) -> list[Found]:
    """Say of each what was found, in one reading that begins after it was asked for."""

    def judged_by(one: Asked, parts: Collection[Known]) -> Meant | GatewayError:
        return judge(one, parts, each=each)

    ask.site.actors.demand(ask.cluster.name)
    looked = await _look(ask, asked)
    noted = await _noted(ask, asked)
    rows = [
        [listed(part, _about(noted, one)) for part in looked.jobs.find(one.job)] for one in asked
    ]
    shown = await _shown(ask, {part.user for parts in rows for part in parts})
    found = [
        judged_by(one, [part for part in parts if part.user in shown])
        for one, parts in zip(asked, rows, strict=True)
    ]
    return await _with_ended(ask, asked, found, Looked(looked.jobs, looked.began, noted), judged_by)


async def _look(ask: Ask, asked: Sequence[Asked]) -> Looked:
    """Of one job slurmctld is asked alone, which costs it little; of several, for all that it has.

    No picture will do that others were shown before: numbers may have been started anew since.
    """
    asked_at, cluster = monotonic(), ask.cluster.cluster
    if len(asked) > 1:
        picture = (await ask.see(ask.cluster.jobs, younger_than=asked_at)).picture
        return Looked(picture.value, picture.began)
    job = JobId(asked[0].job.number)
    try:
        listing = await ask.site.crossing.slurm.run(lambda: cluster.read_job(job))
    except GatewayError:
        raise
    except ExpectedError as error:
        raise NotNow(f"nothing was done, as slurmctld does not answer: {error}") from error
    return Looked(JobsNow(listing), asked_at)


async def _shown(ask: Ask, users: Collection[UserName]) -> Collection[UserName]:
    """Whose jobs he may know of: those that he sees, and of those whom he may act for."""
    mine, actors = ask.principal.sees_only, ask.site.actors
    rest = [] if mine is None else [user for user in users if user not in mine]
    if not rest:
        return users
    acted_for = await ask.site.crossing.hands.run(lambda: actors.acted_for(ask.principal, rest))
    return {user for user in users if user not in rest} | acted_for


async def _noted(ask: Ask, asked: Sequence[Asked]) -> Sought | None:
    """Ask the journal what the marks mean that somebody tells of his jobs."""
    marks = {one.mark for one in asked if one.mark}
    if not marks:
        return None
    cluster, owner, submitter = ask.cluster.name, str(ask.principal), ask.site.submitter
    try:
        return await ask.site.crossing.store.run(
            lambda: submitter.seek(cluster, marks, None, owner)
        )
    except StateError as error:
        raise NotNow(f"nothing was done: the journal of submits cannot be read: {error}") from error


def _about(noted: Sought | None, one: Asked) -> Sought | None:
    """Leave the journal out where it knows nothing of the mark: only the comment tells then."""
    return noted if noted and one.mark in noted.tried else None


def listed(job: LiveJob, noted: Sought | None = None) -> Known:
    marks = _marks(job.comment)
    if noted is not None:
        told = noted.mark_of(job.id, job.user, job.comment, job.submitted, job.restarts)
        marks = _meant(marks, told, noted)
    return Known(job.id, job.number, job.user, job.submitted, job.submitted, marks)


def recalled(past: PastJob, noted: Sought | None = None) -> Known:
    run = past.last
    marks = _marks(run.comment) if run.comment else None
    if noted is not None:
        told = noted.mark_of(past.id, run.user, run.comment, past.submitted, 0)
        marks = _meant(marks or (), told, noted)
    number = run.number or run.id.number
    return Known(run.id, number, run.user, run.submitted, past.submitted, marks)


def _meant(marks: Collection[str], told: str | None, noted: Sought) -> Collection[str]:
    """Of marks that jobs were handed in with, the journal says which job is meant."""
    return ({*marks} - noted.tried) | ({told} if told else set())


def _marks(comment: str) -> Collection[str]:
    """A whole comment, or what the gateway put before it."""
    own = marked(comment).mark
    return {comment} if own is None else {comment, own}


async def _with_ended(
    ask: Ask,
    asked: Sequence[Asked],
    found: Sequence[Meant | GatewayError],
    looked: Looked,
    judged_by: Judge,
) -> list[Found]:
    """Ask the accounting of those that are not listed, some at a time."""
    made: list[Found] = [*found]
    missing = [at for at, each in enumerate(found) if isinstance(each, NotThere)]
    for begin in range(0, len(missing), RECALLED_AT_ONCE):
        some = missing[begin : begin + RECALLED_AT_ONCE]
        ends = await asyncio.gather(*(_recall(ask, asked[at], looked, judged_by) for at in some))
        for at, end in zip(some, ends, strict=True):
            made[at] = end
    return made


async def _recall(ask: Ask, asked: Asked, looked: Looked, judged_by: Judge) -> Found:
    """Tasks of an array that wait together have ended where each that is recalled has."""
    job = asked.job.whole if isinstance(asked.job.part, Tasks) else asked.job
    lane = ask.site.crossing.accounting
    try:
        past = await ask.past.jobs.find(job, looked.began, lane) or ()
    except NotNow as silent:
        return silent
    shown = await _shown(ask, {each.last.user for each in past})
    known = [each for each in past if each.last.user in shown]
    if not known:
        return _doubt(ask, looked) or absent(asked.job)
    noted = _about(looked.noted, asked)
    judged = judged_by(asked, [recalled(each, noted) for each in known])
    if isinstance(judged, GatewayError):
        return judged
    return _not_ended(known, judged) or Ended(judged)


def _doubt(ask: Ask, looked: Looked) -> NotNow | None:
    if looked.jobs.unreadable:
        return NotNow("it may be one of those jobs whose rows are not understood")
    doubt = ask.cluster.doubt
    return NotNow(f"it may be there all the same: {doubt}") if doubt else None


def _not_ended(known: Collection[PastJob], meant: Meant) -> NotNow | None:
    """What slurmctld has no more has ended; until the accounting says so it is not known how."""
    for each in known:
        run = each.last
        if run.submitted == meant.submitted and not run.state.is_terminal:
            words = f"slurmctld does not list job {run.id}, which the accounting has as {run.state}"
            return NotNow(words)
    return None
