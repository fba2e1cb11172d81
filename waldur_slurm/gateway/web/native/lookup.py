"""Many jobs by their marks, in one reading: present, absent, or unknown.

A mark is a job's whole comment. Absent is only what a list younger than the question lacks and the
accounting, which hears late, too; where either is silent what was not found is unknown.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated

import msgspec
from starlette.responses import Response

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.errors import NotNow, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_time
from waldur_slurm.gateway.web.native.past_views import past_job_view
from waldur_slurm.gateway.web.native.spelling import Since
from waldur_slurm.gateway.web.native.views import JobView, job_view
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob, PastQuery

LOOKED_BACK = timedelta(days=31)

Mark = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Lookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `marks` or a `prefix` of them. `since`: how far back ended jobs are looked for."""

    marks: Annotated[tuple[Mark, ...], msgspec.Meta(max_length=1000)] = ()
    prefix: Annotated[str, msgspec.Meta(max_length=256)] = ""
    since: Since | None = None


class LookupAnswer(msgspec.Struct, frozen=True):
    """`comment` of a job is its mark. With a prefix nothing can be absent: only found, or not."""

    as_of: datetime
    jobs: tuple[JobView, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]
    said: str
    """Why something is unknown."""


async def look_up(ask: Ask) -> Response:
    lookup = await ask.body(Lookup)
    if bool(lookup.marks) == bool(lookup.prefix):
        raise WrongAsk("expected either `marks` or a `prefix`")
    since = read_time(lookup.since) if lookup.since else datetime.now(UTC) - LOOKED_BACK
    asked_at = monotonic()
    seen = await ask.see_after(ask.cluster.jobs, asked_at)
    mine, cluster, as_of = ask.principal.sees_only, ask.cluster.name, seen.picture.as_of
    found = [
        job_view(job, cluster, as_of)
        for job in seen.picture.value.jobs
        if _is_meant(lookup, job.comment) and (mine is None or job.user in mine)
    ]
    missing = set(lookup.marks) - {job.comment for job in found}
    said = seen.silence
    if missing or lookup.prefix:
        past, silence = await _look_back(ask, lookup, since, mine)
        said = said or silence or ask.cluster.doubt
        known = {job.job_id for job in found}
        found += [job for job in past if job.job_id not in known]
        missing -= {job.comment for job in past}
    rest = tuple(sorted(missing))
    answer = LookupAnswer(
        as_of=as_of,
        jobs=tuple(found),
        absent=() if said else rest,
        unknown=rest if said else (),
        said=said,
    )
    return Response(msgspec.json.encode(answer), media_type=JSON)


def _is_meant(lookup: Lookup, comment: str) -> bool:
    return comment.startswith(lookup.prefix) if lookup.prefix else comment in lookup.marks


async def _look_back(
    ask: Ask, lookup: Lookup, since: datetime, mine: Collection[str] | None
) -> tuple[list[JobView], str]:
    """Return what the accounting knows, or its words where it does not answer."""
    history, cluster, now = ask.cluster.history, ask.cluster.name, datetime.now(UTC)
    if mine is not None and not mine:
        return [], ""
    query = PastQuery(
        since=min(since, now),
        until=now,
        users=frozenset(map(UserName, mine or ())),
    )

    def read() -> list[JobView]:
        return list(_meant(lookup, history.read_jobs(query), cluster))

    try:
        return await ask.site.questions.ask(read), ""
    except NotNow as late:
        return [], str(late)
    except ExpectedError as error:
        return [], f"the accounting does not answer: {error}"


def _meant(lookup: Lookup, jobs: Iterable[object], cluster: str) -> Iterable[JobView]:
    for job in jobs:
        if isinstance(job, PastJob) and _is_meant(lookup, job.last.comment):
            yield past_job_view(job, cluster)
