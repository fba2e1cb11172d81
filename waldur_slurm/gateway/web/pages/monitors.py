"""Monitors: a list, and one with what became of its job, its letters and what may be done to it."""

from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.monitor_views import monitor_view
from waldur_slurm.gateway.web.native.monitors import (
    MonitorsQuery,
    find_monitor,
    find_monitors,
    forget_monitor,
    is_own,
    letters_of,
    transitions_of,
    write_trials,
)
from waldur_slurm.gateway.web.native.spelling import Cursor
from waldur_slurm.gateway.web.pages.forms import read_form, session_of
from waldur_slurm.gateway.web.pages.letters import letter_rows
from waldur_slurm.gateway.web.pages.rendering import (
    below,
    changed,
    link_with,
    page,
    redirected,
    shown,
    what_was_done,
)

_SAID = {
    "test": "A letter is written for each of its ways, and on its way.",
    "forget": "The monitor is forgotten; its job goes on.",
}


class MonitorsPageQuery(msgspec.Struct, frozen=True):
    """`state` is Slurm's word, `stage` ours; `done`: what was just done."""

    stage: Literal["", "watching", "ended", "expired", "given-up"] = ""
    state: Annotated[str, msgspec.Meta(max_length=64)] = ""
    job_id: str = ""
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    done: str = ""


class MonitorPageQuery(msgspec.Struct, frozen=True):
    done: str = ""


@page
async def show_monitors(ask: Ask) -> Response:
    query = ask.query(MonitorsPageQuery)
    wanted = MonitorsQuery(
        state=query.state,
        stage=query.stage,
        job_id=query.job_id,
        cursor=query.cursor,
        limit=query.limit,
    )
    found = await find_monitors(ask, wanted)
    return await shown(
        ask,
        "monitors.html",
        title="Monitors",
        query=query,
        stages=tuple(Stage),
        found=found,
        done=what_was_done(ask, _SAID, query.done),
        link=link_with(changed(query, "cursor", "done")),
    )


@page
async def show_monitor(ask: Ask) -> Response:
    query = ask.query(MonitorPageQuery)
    monitor = await find_monitor(ask)
    is_his = is_own(ask, monitor)
    may_write = isinstance(decide(ask.principal, Scope.MONITOR_WRITE), Yes)
    return await shown(
        ask,
        "monitor.html",
        title=f"Monitor {monitor.id[:8]}",
        monitor=monitor_view(monitor, is_own=is_his),
        is_own=is_his,
        may_change=is_his and may_write and bool(session_of(ask)),
        transitions=await transitions_of(ask, monitor),
        letters=letter_rows(ask, await letters_of(ask, monitor)),
        done=what_was_done(ask, _SAID, query.done),
    )


@page
async def send_test(ask: Ask) -> Response:
    await read_form(ask)
    await write_trials(ask)
    monitor_id = quote(ask.request.path_params["monitor_id"], safe="")
    return redirected(f"{below(ask)}/monitors/{monitor_id}?done=test")


@page
async def forget(ask: Ask) -> Response:
    await read_form(ask)
    await forget_monitor(ask)
    return redirected(f"{below(ask)}/monitors?done=forget")
