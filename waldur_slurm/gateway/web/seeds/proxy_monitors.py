"""The third original's monitors: looked at, made for jobs from anywhere, and dropped.

A monitor is shown to whoever made it, and to whoever sees its user's jobs. What is not shown is as
what is not there.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from starlette.responses import Response

from waldur_slurm.gateway.acting.meant import Asked, Meant
from waldur_slurm.gateway.acting.steering import Steering
from waldur_slurm.gateway.errors import (
    Denied,
    NotNow,
    NotThere,
    NotThisJob,
    Refused,
)
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.watch.port import Wanted
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import ensure_person, stored
from waldur_slurm.gateway.web.native.finding import Ended, find_one
from waldur_slurm.gateway.web.native.monitors import shown_to, watching
from waldur_slurm.gateway.web.native.whereabouts import find
from waldur_slurm.gateway.web.seeds.proxy_asked import MOST_NUMBER
from waldur_slurm.gateway.web.seeds.proxy_refusals import Unknown, Wrong
from waldur_slurm.gateway.web.seeds.proxy_wire import extended, last_state, number, shown, written
from waldur_slurm.gateway.web.seeds.slurmer_refusals import DETAIL, header
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState, Phase
from waldur_slurm.model.names import UserName

UNKNOWN_JOB = "Job scheduler or monitor information not found"
UNKNOWN_UUID = "Job monitor information not found"
NOT_MONITORED = "Job not found in monitor database"
NOT_CANCELLED = "Job could not be deleted from SLURM scheduler"

_ORDER = (Phase.PENDING, Phase.SUSPENDED, Phase.RUNNING, Phase.UNKNOWN, Phase.FINISHED)


class Now(NamedTuple):
    """The job's state, and a doubt where it is the one that was seen last."""

    state: str
    doubt: str = ""


async def show_by_job(ask: Ask) -> Response:
    """Show the newest of that number; a `username` in the query changes nothing, as it was."""
    monitor = await _of_job(ask)
    if monitor is None:
        raise Unknown(UNKNOWN_JOB, ask.site.proxy.reading)
    return await _combined(ask, monitor)


async def show_by_uuid(ask: Ask) -> Response:
    monitor = await of_uuid(ask, ask.request.path_params["task_uuid"])
    if monitor is None:
        raise Unknown(UNKNOWN_UUID, ask.site.proxy.reading)
    return await _combined(ask, monitor)


async def delete(ask: Ask) -> Response:
    """Cancel the job as its owner, then forget the monitor; what has ended is only forgotten."""
    monitor = await _of_job(ask)
    if monitor is None or monitor.job is None:
        raise Unknown(NOT_MONITORED, ask.site.proxy.reading, is_brief=False)
    await _cancel(ask, monitor, monitor.job)
    monitors = watching(ask).monitors
    await stored(ask, lambda: monitors.drop(monitor.id))
    return Response(written(extended(monitor)), media_type=JSON)


async def of_uuid(ask: Ask, uuid: str) -> Monitor | None:
    return await _newest(ask, shown_to(ask, uuid=uuid)) if uuid else None


async def _of_job(ask: Ask) -> Monitor | None:
    """Find the newest one of the path's job; what is no number is no job's."""
    text: str = ask.request.path_params["job_id"]
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > MOST_NUMBER:
        return None
    return await _newest(ask, shown_to(ask, job=JobId(int(text)), cluster=ask.cluster.name))


async def _newest(ask: Ask, wanted: Wanted) -> Monitor | None:
    monitors = watching(ask).monitors
    found = await stored(ask, lambda: monitors.search(wanted, 1))
    return found[0][1] if found else None


async def _combined(ask: Ask, monitor: Monitor) -> Response:
    now = await _state(ask, monitor)
    view = {
        "slurm": {
            "username": monitor.user,
            "job_id": number(monitor),
            "job_state": now.state,
        },
        "monitor": shown(monitor),
    }
    headers = {DETAIL: header(now.doubt)} if now.doubt else {}
    return Response(written(view), headers=headers, media_type=JSON)


async def _state(ask: Ask, monitor: Monitor) -> Now:
    """Ask how it is now; of what nobody knows any more the last state that was seen is told."""
    last = last_state(monitor)
    if monitor.job is None:
        return Now(last, "its job is being handed in")
    if monitor.cluster != ask.cluster.name:
        return Now(last)

    async def of_user(users: frozenset[UserName]) -> Collection[UserName]:
        return users & {monitor.user}

    try:
        found = await find(ask, monitor.job, of_user)
    except NotNow as silent:
        return Now(last, f"as it was seen last: {silent}")
    live = [row.state for row in found.rows if _is_its(monitor, row.submitted)]
    past = [job.last.state for job in found.past if _is_its(monitor, job.submitted)]
    states = live or past
    return Now(min(states, key=_how_far).base) if states else Now(last)


def _is_its(monitor: Monitor, submitted: datetime) -> bool:
    """A number comes again; a job that was requeued is submitted later, and is the same one."""
    return monitor.submitted is None or submitted >= monitor.submitted


def _how_far(found: JobState) -> int:
    return _ORDER.index(found.phase)


async def _cancel(ask: Ask, monitor: Monitor, job: JobId) -> None:
    """Raise what keeps its job from being cancelled; one that is gone needs no more."""
    try:
        # Nobody is told that a job was cancelled whose owner he may not act for.
        await ensure_person(ask, monitor.user)
        found = await find_one(ask, Asked(job))
        if not isinstance(found, Ended) and _is_meant(monitor, found):
            await _end(ask, found)
    except (NotThere, NotThisJob):
        return
    except (Denied, Refused) as error:
        raise Wrong(NOT_CANCELLED, str(error)) from error


def _is_meant(monitor: Monitor, found: Meant) -> bool:
    return found.user == monitor.user and _is_its(monitor, found.submitted)


async def _end(ask: Ask, found: Meant) -> None:
    """However it ends, nobody is shown what was before as what is now."""
    try:
        await ask.acting(
            found.user, lambda actor: Steering(actor, ask.site.audit).cancel([found.job], "")
        )
    finally:
        ask.cluster.jobs.forget()
