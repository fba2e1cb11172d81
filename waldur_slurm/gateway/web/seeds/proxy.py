"""The third original's surface: tasks handed in, for clients that stay as they are.

200 means that Slurm has the job. A uuid stands for one job of its user, whoever asks, as long as
its monitor is kept.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from waldur_slurm.gateway.errors import (
    Busy,
    GatewayError,
    LetterDenied,
    OtherBody,
    Refused,
    TooLarge,
    WrongAsk,
)
from waldur_slurm.gateway.tasks.task import Accepted, parse_task
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.watch.port import Wanted
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import ensure_person, stored
from waldur_slurm.gateway.web.native.monitors import watching
from waldur_slurm.gateway.web.native.tasks import demand_watching
from waldur_slurm.gateway.web.seeds.proxy_asked import NO_JSON, asked
from waldur_slurm.gateway.web.seeds.proxy_refusals import Wrong
from waldur_slurm.gateway.web.seeds.proxy_wire import shown, written
from waldur_slurm.model.names import UserName

FAILED = "Failed to submit task"
NO_TASK = "No task provided"
NO_FORM = "Invalid task format"

REQUIRED = ("name", "username", "cwd", "uuid", "slurm", "dirs")
OF_SLURM = ("partition", "mem", "time", "cpus_per_task", "output", "error")
OF_DIRS = ("parent", "input", "output", "error")

MOST = 1000
"""Principals that have a monitor of one uuid."""


async def submit(ask: Ask) -> Response:
    """Hand a task's job in; its uuid a second time is refused with the job that it has."""
    given = _task(await asked(ask, Wrong(NO_JSON, "expected an object that says something")))
    demand_watching(ask)
    user, uuid = given["username"], given["uuid"]
    person = await ensure_person(ask, user)
    known = await taken(ask, uuid, person.name)
    if known is not None and known.job is not None:
        raise duplicate(known, f"{FAILED} | ")
    accepted = await _hand_in(ask, user, person.name, given)
    if accepted.is_again:
        known = await taken(ask, uuid, person.name)
        if known is not None:
            raise duplicate(known, f"{FAILED} | ")
    number = accepted.placed.job_id.number
    return Response(written({"uuid": uuid, "slurm_job_id": number}), media_type=JSON)


async def _hand_in(ask: Ask, user: str, name: UserName, given: Mapping[str, Any]) -> Accepted:
    """Whatever refuses it says so after the original's words for that."""
    cluster, desk, reading = ask.cluster.name, ask.site.tasks, ask.site.proxy.reading
    try:
        task = parse_task(given, reading, is_lenient=True)
        return await ask.acting(
            user, lambda actor: desk.submit(actor, cluster, task, among_all=True)
        )
    except Busy as error:
        words = f"{FAILED} | Task UUID {task.uuid} is being submitted at the moment"
        raise Busy(words, error.after_s) from error
    except OtherBody as error:
        known = await taken(ask, task.uuid, name)
        raise duplicate(known, f"{FAILED} | ") if known else Wrong(f"{FAILED} | {error}") from error
    except (WrongAsk, Refused, TooLarge, LetterDenied) as error:
        raise Wrong(f"{FAILED} | {error}") from error


async def taken(ask: Ask, uuid: str, user: str) -> Monitor | None:
    """Find what has the uuid already, whoever made it: he may act for this user, or sees him."""
    monitors = watching(ask).monitors
    found = await stored(ask, lambda: monitors.search(Wanted(uuid=uuid), MOST))
    return next((each for _, each in found if each.user == user), None)


def duplicate(known: Monitor, before: str = "") -> GatewayError:
    """Name the job that there is, as the original did: with all that is kept of it."""
    words = f"Task UUID {known.uuid} already exists in monitor database - {shown(known)}"
    return Wrong(f"{before}{words}")


def _task(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what can be read as a task; raises what says what is missing."""
    task = body.get("task")
    if not task:
        raise Wrong(NO_TASK, "expected an object `task`")
    if not isinstance(task, dict):
        raise Wrong(NO_FORM, "task: expected an object")
    for name in REQUIRED:
        if task.get(name) is None:
            raise Wrong(NO_FORM, f"task.{name} is missing")
    for name in ("username", "uuid"):
        if not isinstance(task[name], str) or not task[name]:
            raise Wrong(NO_FORM, f"task.{name}: expected a text")
    _demand(task, "slurm", OF_SLURM)
    _demand(task, "dirs", OF_DIRS)
    return task


def _demand(task: Mapping[str, Any], name: str, wanted: tuple[str, ...]) -> None:
    part = task[name]
    if not isinstance(part, dict):
        raise Wrong(NO_FORM, f"task.{name}: expected an object")
    missing = [each for each in wanted if part.get(each) in (None, "")]
    if missing:
        is_one = len(missing) == 1
        words = ", ".join(f"task.{name}.{each}" for each in missing)
        raise Wrong(f"{FAILED} | {words} {'is' if is_one else 'are'} missing")
