"""Why a job waits and when it may start, told by what whoever asks may see of the cluster."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import NotNow, NotThere
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Keeper, Seen
from waldur_slurm.gateway.reasons.estimate import Estimate, estimate
from waldur_slurm.gateway.reasons.evidence import NEEDED
from waldur_slurm.gateway.reasons.pending import Reason, explain
from waldur_slurm.gateway.reasons.scene import Scene, waits
from waldur_slurm.gateway.reasons.words import meaning_of
from waldur_slurm.gateway.web.answers import JSON, seen_headers
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.whereabouts import Whereabouts, find
from waldur_slurm.gateway.wire import EstimateView, FactView, ReasonAnswer, ReasonView
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName


async def show_reason(ask: Ask) -> Response:
    answer, seen = await find_reason(ask, read_id(ask.request.path_params["job_id"]))
    headers = seen_headers(seen)
    return Response(msgspec.json.encode(answer), headers=headers, media_type=JSON)


async def find_reason(ask: Ask, wanted: JobId) -> tuple[ReasonAnswer, Seen[JobsNow]]:
    """Of the parts of an array it is the one that waits, if any does; raises `NotThere`."""
    mine = ask.principal.sees_only

    async def shown(users: frozenset[UserName]) -> frozenset[UserName]:
        return users if mine is None else users & mine

    found = await find(ask, wanted, shown)
    if not found.rows and not found.past:
        raise NotThere(f"there is no job {wanted}, or none that you may see")
    return await _answer(ask, found), found.seen


async def _answer(ask: Ask, found: Whereabouts) -> ReasonAnswer:
    cluster, as_of = ask.cluster.name, found.seen.picture.as_of
    if not found.rows:
        past = found.past[0]
        return ReasonAnswer(
            cluster, as_of, str(past.id), past.last.state.phase.value, reason=None, estimate=None
        )
    job = next(filter(waits, found.rows), found.rows[0])
    scene = await read_scene(ask, job, found.seen)
    return ReasonAnswer(
        cluster=cluster,
        as_of=as_of,
        job_id=str(job.id),
        phase=job.state.phase.value,
        reason=reason_view(explain(job, scene)),
        estimate=estimate_view(estimate(job, as_of)),
    )


async def read_scene(ask: Ask, job: LiveJob, seen: Seen[JobsNow]) -> Scene:
    """See what its kind of reason looks at; what is silent, or not for this asker, is left out."""
    names = NEEDED.get(meaning_of(job.reason).category, ()) if waits(job) else ()
    if not isinstance(decide(ask.principal, Scope.CLUSTER_READ), Yes):
        names = ()
    values = await asyncio.gather(*(_seen(ask, getattr(ask.cluster, name)) for name in names))
    return Scene(
        now=seen.picture.as_of,
        jobs=_jobs(ask, seen.picture.value),
        sees_all=ask.principal.sees_all and not ask.cluster.doubt,
        **dict(zip(names, values, strict=True)),
    )


async def _seen(ask: Ask, keeper: Keeper[Any]) -> Any:
    try:
        return (await ask.see(keeper)).picture.value
    except NotNow:
        return None


def _jobs(ask: Ask, jobs: JobsNow) -> Sequence[LiveJob]:
    """Whoever sees one job alone sees no other beside it."""
    who = ask.principal
    if who.job is not None:
        return ()
    if who.sees_only is None:
        return jobs.jobs
    return [job for user in who.sees_only for job in jobs.by_user.get(user, ())]


def reason_view(reason: Reason | None) -> ReasonView | None:
    if reason is None:
        return None
    return ReasonView(
        word=reason.word,
        category=reason.category.value,
        whose=reason.whose or None,
        says=reason.says,
        evidence=tuple(
            FactView(fact.about, fact.name, fact.says, fact.limit, fact.used)
            for fact in reason.evidence
        ),
        advice=reason.advice,
        passes=reason.passes,
    )


def estimate_view(found: Estimate | None) -> EstimateView | None:
    if found is None:
        return None
    return EstimateView(found.kind.value, found.start, found.looked_at, found.says)
