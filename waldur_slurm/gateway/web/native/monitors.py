"""Monitors: somebody wants to be told what becomes of a job that he may see, whoever made it.

They are shown to who made them, and to whoever sees the job; changed only by who made them, or by
who sees everybody's jobs.
"""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import Denied, NotOffered, NotThere, OtherBody, WrongAsk
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion, method_of
from waldur_slurm.gateway.watch.monitor import Monitor, Stage
from waldur_slurm.gateway.watch.port import Wanted
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import stored
from waldur_slurm.gateway.web.native import monitor_views as views
from waldur_slurm.gateway.web.native.cursors import read_cursor, write_cursor
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.spelling import JOB_ID, Cursor
from waldur_slurm.gateway.web.native.whereabouts import find
from waldur_slurm.gateway.web.watch_site import Watching
from waldur_slurm.model.batch import JobId, Tasks
from waldur_slurm.model.names import UserName

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=16_384)]
Parameters = Annotated[dict[Word, Text], msgspec.Meta(max_length=32)]


class MonitorWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`methods` are ways with their parameters, as `{"email": {"recipient": "ann@example.org"}}`.

    A `uuid` makes it once: the same again is the same monitor.
    """

    job_id: Annotated[str, msgspec.Meta(extra_json_schema=JOB_ID)]
    methods: Annotated[dict[Word, Parameters], msgspec.Meta(max_length=16)] = {}
    occasions: Annotated[
        tuple[Literal["terminal", "started", "suspended", "requeued"], ...],
        msgspec.Meta(min_length=1, max_length=4),
    ] = ("terminal",)
    uuid: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.:-]{0,128}$")] = ""


class MonitorsQuery(msgspec.Struct, frozen=True):
    """`state` is Slurm's word, `stage` ours."""

    state: Annotated[str, msgspec.Meta(max_length=64)] = ""
    stage: Literal["", "watching", "ended", "expired", "given-up"] = ""
    job_id: str = ""
    uuid: Annotated[str, msgspec.Meta(max_length=128)] = ""
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


def watching(ask: Ask) -> Watching:
    if ask.site.watching is None:
        raise NotOffered("this gateway watches no jobs")
    return ask.site.watching


async def make_monitor(ask: Ask) -> Response:
    """Find the job first: whoever may not see it is told what he is told where there is none."""
    site, cluster, wanted = watching(ask), ask.cluster.name, await ask.body(MonitorWanted)
    job, methods = _one(read_id(wanted.job_id)), methods_of(site, wanted.methods)
    user, submitted = await _find_job(ask, job)
    made = Monitor(
        id=token_hex(16),
        owner=str(ask.principal),
        cluster=cluster,
        user=user,
        made=site.now().replace(microsecond=0),
        job=job,
        submitted=submitted,
        methods=methods,
        occasions=frozenset(map(Occasion, wanted.occasions)),
        uuid=wanted.uuid,
    )
    known = await _same(ask, made) if wanted.uuid else None
    if known is None:
        site.gate.let_ask(made.owner, methods)
        if not await stored(ask, lambda: site.monitors.add(made)):
            known = await _same(ask, made)
    return _answer(views.monitor_view(known or made, is_own=True), 200 if known else 201)


async def list_monitors(ask: Ask) -> Response:
    query, cluster = ask.query(MonitorsQuery), ask.cluster.name
    about = f"monitors {cluster} {msgspec.structs.replace(query, cursor='')} {_whom(ask)}"
    wanted = shown_to(
        ask,
        cluster=cluster,
        state=query.state.upper() or None,
        stage=Stage(query.stage) if query.stage else None,
        job=read_id(query.job_id) if query.job_id else None,
        uuid=query.uuid or None,
        before=read_cursor(ask.site.mark, about, query.cursor) if query.cursor else None,
    )
    found = await stored(ask, lambda: watching(ask).monitors.search(wanted, query.limit + 1))
    page = found[: query.limit]
    following = None
    if len(found) > len(page):
        following = write_cursor(ask.site.mark, about, page[-1][0])
    shown = tuple(views.monitor_view(each, is_own=_is_own(ask, each)) for _, each in page)
    return _answer(views.MonitorsAnswer(following, shown))


async def show_monitor(ask: Ask) -> Response:
    monitor = await find_monitor(ask)
    return _answer(views.monitor_view(monitor, is_own=_is_own(ask, monitor)))


async def drop_monitor(ask: Ask) -> Response:
    """Forget it; its job goes on, and letters that are written already are sent."""
    monitor = await find_monitor(ask, to_change=True)
    await stored(ask, lambda: watching(ask).monitors.drop(monitor.id))
    return Response(status_code=204)


async def list_transitions(ask: Ask) -> Response:
    monitor = await find_monitor(ask)
    found = await stored(ask, lambda: watching(ask).monitors.transitions(monitor.id))
    return _answer(views.MonitorTransitionsAnswer(tuple(map(views.transition_view, found))))


async def list_notifications(ask: Ask) -> Response:
    monitor = await find_monitor(ask)
    found = await stored(ask, lambda: watching(ask).monitors.letters(monitor.id))
    return _answer(views.NotificationsAnswer(tuple(map(views.letter_view, found))))


async def try_notifications(ask: Ask) -> Response:
    """Write a letter to try each way; it is sent as any other one."""
    site, monitor = watching(ask), await find_monitor(ask, to_change=True)
    site.gate.let_ask(monitor.owner, monitor.methods)
    now = site.now()

    def trial(method: Method, parameters: Mapping[str, str]) -> Letter:
        message_id = token_hex(16)
        return Letter(
            message_id=message_id,
            monitor=f"{monitor.id}/{message_id[:8]}",
            owner=monitor.owner,
            event=Occasion.TRIAL,
            method=method,
            parameters=parameters,
            made=now,
            next_try=now,
        )

    letters = [trial(*each) for each in monitor.methods.items()]

    def write() -> None:
        for letter in letters:
            site.letters.add(letter)

    await stored(ask, write)
    return _answer(views.NotificationsAnswer(tuple(map(views.letter_view, letters))), 201)


def methods_of(
    site: Watching, asked: Mapping[str, Mapping[str, str]]
) -> Mapping[Method, Mapping[str, str]]:
    """Read the ways; raises `NotOffered` for one that the site has not set up."""
    found: dict[Method, Mapping[str, str]] = {}
    for word, parameters in asked.items():
        try:
            method, more = method_of(word, parameters)
        except ValueError as error:
            raise WrongAsk(f"methods: {error}") from None
        if method in found:
            raise WrongAsk(f"methods: {method} is there twice")
        if method not in site.ways:
            raise NotOffered(f"the gateway is not set up for letters by {method}")
        found[method] = more
    return found


async def find_monitor(ask: Ask, *, to_change: bool = False) -> Monitor:
    """Find the one of the path; raises `NotThere`, be it none or not his to see."""
    monitor_id = ask.request.path_params["monitor_id"]
    found = await stored(ask, lambda: watching(ask).monitors.find(monitor_id))
    if found is None or found.cluster != ask.cluster.name or not _is_shown(ask, found):
        raise NotThere("there is no such monitor, or none that you may see")
    if to_change and not _is_own(ask, found):
        raise Denied(f"the monitor is {found.owner}'s")
    return found


def shown_to(ask: Ask, **more: Any) -> Wanted:
    """Ask for what the asker may see: what he made, and of users whose jobs he sees."""
    who = ask.principal
    if who.sees_only is None:
        return Wanted(**more)
    return Wanted(owner=str(who), users=sorted(who.sees_only), **more)


def _whom(ask: Ask) -> str:
    return f"{ask.principal} {ask.principal.visibility}"


def _is_shown(ask: Ask, monitor: Monitor) -> bool:
    sees = ask.principal.sees_only
    return sees is None or monitor.owner == str(ask.principal) or monitor.user in sees


def _is_own(ask: Ask, monitor: Monitor) -> bool:
    return monitor.owner == str(ask.principal) or ask.principal.sees_all


def _one(wanted: JobId) -> JobId:
    if isinstance(wanted.part, Tasks):
        raise WrongAsk(f"job_id: {wanted} is several tasks; watch the array, or one of them")
    return wanted


async def _find_job(ask: Ask, wanted: JobId) -> tuple[UserName, datetime]:
    """Return whose it is, and when it was handed in: numbers come again."""
    mine = ask.principal.sees_only

    async def shown(users: frozenset[UserName]) -> frozenset[UserName]:
        return users if mine is None else users & mine

    found = await find(ask, wanted, shown)
    if found.rows:
        return found.rows[0].user, min(row.submitted for row in found.rows)
    if not found.past:
        raise NotThere(f"there is no job {wanted}, or none that you may see")
    newest = max(found.past, key=lambda past: past.submitted)
    return newest.last.user, newest.submitted


async def _same(ask: Ask, made: Monitor) -> Monitor | None:
    """Return the owner's monitor of this uuid; raises `OtherBody` where it is of something else."""
    wanted = Wanted(owner=made.owner, users=(), uuid=made.uuid)
    found = await stored(ask, lambda: watching(ask).monitors.search(wanted, 1))
    if not found:
        return None
    known = found[0][1]
    if _kind(known) != _kind(made):
        raise OtherBody(f"the uuid {made.uuid} stands for another monitor")
    return known


def _kind(monitor: Monitor) -> tuple[object, ...]:
    return (
        monitor.cluster,
        monitor.job,
        monitor.submitted,
        dict(monitor.methods),
        monitor.occasions,
        monitor.task,
    )


def _answer(view: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(view), status, media_type=JSON)
