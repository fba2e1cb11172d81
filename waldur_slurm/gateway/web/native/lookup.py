"""Many jobs by their marks, in one reading: present, absent, or unknown.

A mark is a job's whole comment, or what the gateway put before it; of what was handed in through
this gateway its journal says which job a mark means, whatever became of the comment. Absent is only
what a list younger than the question lacks and the accounting, which hears late, too; where either
is silent, or the journal knows better, what was not found is unknown.

Of an array slurmctld forgets the tasks that have ended, one by one: the accounting tells of those.
Where it does not, the array is unknown too, as it might seem to have gone better than it did.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated, NamedTuple

import msgspec
from starlette.responses import Response

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.errors import NotNow, WrongAsk
from waldur_slurm.gateway.submits.marks import marked
from waldur_slurm.gateway.submits.sought import Sought
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_time
from waldur_slurm.gateway.web.native.past_views import past_job_view
from waldur_slurm.gateway.web.native.spelling import Since
from waldur_slurm.gateway.web.native.views import job_view
from waldur_slurm.gateway.wire import JobView, LookupAnswer
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob, PastQuery
from waldur_slurm.slurm.past.client import MOST_NUMBERS

MOST_MARKS = 1000
NOT_SHOWN = "jobs with such marks were handed in, or are being so, and Slurm does not show them"
LOOKED_BACK = timedelta(days=31)

Mark = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `marks` or a `prefix` of them. `since`: how far back ended jobs are looked for."""

    marks: Annotated[tuple[Mark, ...], msgspec.Meta(max_length=MOST_MARKS)] = ()
    prefix: Annotated[str, msgspec.Meta(max_length=256)] = ""
    since: Since | None = None


class Back(NamedTuple):
    """How far, whose jobs, and which are looked for in the accounting; None is all of them."""

    since: datetime
    users: Collection[str] | None
    ids: frozenset[JobId] | None


async def look_up(ask: Ask) -> Response:
    lookup = await ask.body(Lookup)
    if bool(lookup.marks) == bool(lookup.prefix):
        raise WrongAsk("expected either `marks` or a `prefix`")
    since = read_time(lookup.since) if lookup.since else datetime.now(UTC) - LOOKED_BACK
    asked_at = monotonic()
    mine, cluster = ask.principal.sees_only, ask.cluster.name
    seen = await ask.see_after(ask.cluster.jobs, asked_at)
    sought = await _seek(ask, _meant(lookup, seen.picture.value.jobs), mine)
    as_of = seen.picture.as_of
    found = [
        msgspec.structs.replace(job_view(job, cluster, as_of), mark=mark)
        for job in seen.picture.value.jobs
        if mine is None or job.user in mine
        if (mark := _mark_of_live(lookup, sought, job)) is not None
    ]
    missing = {*lookup.marks} - _marks(found)
    arrays = frozenset(JobId(job.array.job_id) for job in found if job.array)
    said = seen.silence
    if missing or arrays or lookup.prefix:
        ids = None if lookup.prefix else _ids(sought, missing, arrays)
        past, silence = await _look_back(ask, lookup, sought, Back(since, mine, ids))
        said = said or silence or ask.cluster.doubt
        if silence:
            found = [job for job in found if job.array is None]
        found += rest_of(past, found)
        missing = {*lookup.marks} - _marks(found)
    undecided = missing if said else missing & sought.tried
    answer = LookupAnswer(
        as_of=as_of,
        jobs=tuple(found),
        absent=tuple(sorted(missing - undecided)),
        unknown=tuple(sorted(undecided)),
        said=said or (NOT_SHOWN if undecided else ""),
        tried=() if said else tuple(sorted(undecided)),
    )
    return Response(msgspec.json.encode(answer), media_type=JSON)


def _meant(lookup: Lookup, jobs: Iterable[LiveJob]) -> Collection[str]:
    """Return the marks that are asked for; of a prefix those that there are."""
    if not lookup.prefix:
        return lookup.marks
    return {mark for job in jobs if (mark := _begins(lookup, job.comment)) is not None}


async def _seek(ask: Ask, marks: Collection[str], mine: Collection[str] | None) -> Sought:
    cluster, submitter, owner = ask.cluster.name, ask.site.submitter, str(ask.principal)
    return await ask.site.crossing.store.run(lambda: submitter.seek(cluster, marks, mine, owner))


def _ids(
    sought: Sought, missing: Collection[str], arrays: frozenset[JobId]
) -> frozenset[JobId] | None:
    """Return the jobs to be recalled, where all are known and one sacct takes them; else None."""
    known = sought.jobs_of(missing)
    if known is None or len(known | arrays) > MOST_NUMBERS:
        return None
    return known | arrays


def _mark_of_live(lookup: Lookup, sought: Sought, job: LiveJob) -> str | None:
    told = _begins(lookup, job.comment) if lookup.prefix else None
    if told is not None and told not in sought.tried:
        return told
    return sought.mark_of(job.id, job.user, job.comment, job.submitted, job.restarts)


def _mark_of_past(lookup: Lookup, sought: Sought, job: PastJob) -> str | None:
    run = job.last
    told = _begins(lookup, run.comment) if lookup.prefix else None
    if told is not None and told not in sought.tried:
        return told
    return sought.mark_of(job.id, run.user, run.comment, job.submitted, 0)


def _begins(lookup: Lookup, comment: str) -> str | None:
    return (marked(comment).mark or comment) if comment.startswith(lookup.prefix) else None


def _marks(jobs: Iterable[JobView]) -> set[str]:
    return {job.mark for job in jobs if job.mark is not None}


def rest_of(past: Iterable[JobView], listed: Collection[JobView]) -> list[JobView]:
    """Leave out what is listed; of an array that is, only tasks that ended may be missing there."""
    known = {job.job_id for job in listed}
    tasks: dict[int, set[int]] = defaultdict(set)
    for job in listed:
        if job.array:
            tasks[job.array.job_id] |= job_id(job.job_id).tasks
    return [
        job
        for job in past
        if job.job_id not in known
        if job.array is None
        or job.array.job_id not in tasks
        or (job.terminal and not job_id(job.job_id).tasks & tasks[job.array.job_id])
    ]


async def _look_back(
    ask: Ask, lookup: Lookup, sought: Sought, back: Back
) -> tuple[list[JobView], str]:
    """Return what the accounting knows, or its words where it does not answer."""
    history, cluster, now = ask.cluster.history, ask.cluster.name, datetime.now(UTC)
    if back.users is not None and not back.users:
        return [], ""
    query = PastQuery(
        since=min(back.since, now),
        until=now,
        users=frozenset(map(UserName, back.users or ())),
        ids=back.ids or frozenset(),
    )

    def read() -> list[JobView]:
        return [
            msgspec.structs.replace(past_job_view(job, cluster), mark=mark)
            for job in history.read_jobs(query)
            if isinstance(job, PastJob)
            if not query.users or job.last.user in query.users
            if (mark := _mark_of_past(lookup, sought, job)) is not None
        ]

    try:
        return await ask.site.questions.ask(read), ""
    except NotNow as late:
        return [], str(late)
    except ExpectedError as error:
        return [], f"the accounting does not answer: {error}"
