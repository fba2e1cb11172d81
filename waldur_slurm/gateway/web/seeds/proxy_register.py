"""The third original's way to watch a job that came from anywhere."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from waldur_slurm.gateway.errors import GatewayError, LetterDenied, NotThere, WrongAsk
from waldur_slurm.gateway.tasks.notice import Notice, joined, notice_of
from waldur_slurm.gateway.tasks.task import Task, parse_task
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import ensure_person, stored
from waldur_slurm.gateway.web.native.monitors import watching
from waldur_slurm.gateway.web.native.whereabouts import find
from waldur_slurm.gateway.web.seeds.proxy import duplicate, taken
from waldur_slurm.gateway.web.seeds.proxy_asked import MOST_NUMBER, asked
from waldur_slurm.gateway.web.seeds.proxy_refusals import Wrong
from waldur_slurm.gateway.web.seeds.proxy_wire import shown, written
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

NOTHING = "No job provided to be monitored"
FAILED = "Failed to monitor job"


@dataclass(frozen=True, slots=True)
class Found:
    """The job as it is now."""

    submitted: datetime
    state: str


async def register(ask: Ask) -> Response:
    """Watch a job; returns the monitor, with what was not said filled in."""
    body = await asked(ask, Wrong(NOTHING, is_brief=True))
    given = body.get("monitor")
    if not given or not isinstance(given, dict):
        raise Wrong(NOTHING, "expected an object `monitor`", is_brief=True)
    task, job = _task(given, ask), JobId(_number(given.get("slurm_job_id")))
    user = await _shown(ask, task.user)
    known = await taken(ask, task.uuid, user)
    if known is not None:
        raise duplicate(known)
    monitor = _monitor(ask, task, user, job, await _found(ask, job, user))
    monitors = watching(ask).monitors
    if not await stored(ask, lambda: monitors.add(monitor, among_all=True)):
        known = await taken(ask, task.uuid, user)
        words = f"Task UUID {task.uuid} already exists in monitor database"
        raise duplicate(known) if known else Wrong(words)
    record = shown(monitor)
    del record["_id"]
    return Response(written(record), media_type=JSON)


def _task(given: Mapping[str, Any], ask: Ask) -> Task:
    """Read at least whose it is and what it is known by; the rest is kept as it is."""
    task = given.get("task")
    if not isinstance(task, dict):
        raise Wrong(FAILED, "monitor.task: expected an object with username and uuid")
    for name in ("username", "uuid"):
        if not isinstance(task.get(name), str) or not task[name]:
            raise Wrong(FAILED, f"monitor.task.{name} is missing")
    try:
        return parse_task(task, ask.site.proxy.reading, is_lenient=True)
    except WrongAsk as error:
        raise Wrong(FAILED, f"monitor.{error}") from error


def _number(told: object) -> int:
    """Read the job's number, which may come as a text."""
    text = str(told)
    is_number = isinstance(told, int | str) and not isinstance(told, bool)
    if is_number and text.isascii() and text.isdecimal() and 0 < int(text[:12]) <= MOST_NUMBER:
        return int(text)
    raise Wrong(FAILED, "monitor.slurm_job_id: expected the number of a job")


async def _shown(ask: Ask, name: str) -> UserName:
    """Return the user, where whoever asks sees his jobs or may act for him."""
    user = UserName(name)
    mine = ask.principal.sees_only
    if mine is None or user in mine:
        return user
    return (await ensure_person(ask, name)).name


async def _found(ask: Ask, job: JobId, user: UserName) -> Found:
    """Find it in the queue or in the accounting; of another user's job nothing is told."""

    async def of_user(users: frozenset[UserName]) -> Collection[UserName]:
        return users & {user}

    try:
        found = await find(ask, job, of_user)
    except NotThere:
        raise _no_job(job, user) from None
    if found.rows:
        row = found.rows[0]
        return Found(row.submitted, row.state.base)
    if found.past:
        past = max(found.past, key=lambda each: each.submitted)
        return Found(past.submitted, past.last.state.base)
    raise _no_job(job, user)


def _no_job(job: JobId, user: UserName) -> GatewayError:
    return Wrong(FAILED, f"Slurm knows no job {job} of {user}")


def _monitor(ask: Ask, task: Task, user: UserName, job: JobId, found: Found) -> Monitor:
    """Its state is Slurm's, as ever: what the client says of it counts for nothing."""
    notice = _notice(ask, task)
    return Monitor(
        id=str(uuid4()),
        owner=str(ask.principal),
        cluster=ask.cluster.name,
        user=user,
        made=datetime.now(UTC).replace(microsecond=0),
        job=job,
        submitted=found.submitted,
        state=found.state,
        methods=notice.methods,
        occasions=notice.occasions,
        uuid=task.uuid,
        task=task.given,
    )


def _notice(ask: Ask, task: Task) -> Notice:
    """Who is told: as for a task that is handed in here, were it one of a name of this site."""
    canned = ask.site.tasks.names.get(task.spec.name)
    try:
        own = notice_of(task.spec.notification)
    except ValueError as error:
        raise Wrong(FAILED, f"monitor.task.notification.methods: {error}") from error
    notice = joined(canned.notice if canned else Notice(), own)
    try:
        watching(ask).gate.let_ask(str(ask.principal), notice.methods)
    except (WrongAsk, LetterDenied) as error:
        raise Wrong(FAILED, f"monitor.task.notification: {error}") from error
    return notice
