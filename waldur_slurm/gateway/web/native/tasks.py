"""Tasks: handed in once for each uuid, and shown as they were given, with the job of each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.doors.decide import No, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import Denied, NotThere, WrongAsk
from waldur_slurm.gateway.tasks.port import Sought
from waldur_slurm.gateway.tasks.task import UUID, Accepted, KeptTask, Reading, TaskSpec, task_of
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import stored
from waldur_slurm.gateway.web.native.cursors import read_cursor, write_cursor
from waldur_slurm.gateway.web.native.spelling import Cursor
from waldur_slurm.gateway.web.native.submit import MOST_BODY, key_of


class TasksQuery(msgspec.Struct, frozen=True):
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class TaskView(msgspec.Struct, frozen=True):
    """`task` is as it was given. Without a `job_id` it is not known yet whether Slurm has it."""

    uuid: str
    name: str
    user: str
    cluster: str
    made: datetime
    monitor: str
    task: Mapping[str, Any]
    job_id: str | None = None
    submit_time: datetime | None = None
    work_dir: str | None = None
    stdout: str | None = None
    stderr: str | None = None


class TasksAnswer(msgspec.Struct, frozen=True):
    """The newest first."""

    next: str | None
    tasks: tuple[TaskView, ...]


async def submit_task(ask: Ask) -> Response:
    """Hand it in as its user; `time` is in hours and `mem` for the job, whatever the seeds' is."""
    cluster, spec = ask.cluster.name, await ask.body(TaskSpec, MOST_BODY)
    named = msgspec.structs.replace(spec, uuid=_uuid_of(ask, spec), username=_user_of(ask, spec))
    task = task_of(named, msgspec.to_builtins(named), Reading.DOCUMENT)
    demand_watching(ask)

    def work(actor: Actor) -> Accepted:
        return ask.site.tasks.submit(actor, cluster, task)

    accepted = await ask.acting(task.user, work)
    return Response(
        msgspec.json.encode(task_view(accepted.task)),
        status_code=200 if accepted.is_again else 201,
        headers={"Location": f"/api/v1/clusters/{cluster}/tasks/{task.uuid}"},
        media_type=JSON,
    )


def demand_watching(ask: Ask) -> None:
    """Raise `Denied` for who may hand in jobs, and not have them watched."""
    answer = decide(ask.principal, Scope.MONITOR_WRITE)
    if isinstance(answer, No):
        raise Denied(f"{answer.why}, which a task needs beside {Scope.JOBS_SUBMIT}")


async def list_tasks(ask: Ask) -> Response:
    query = ask.query(TasksQuery)
    about = f"tasks {ask.cluster.name} {ask.principal} {ask.principal.visibility}"
    before = read_cursor(ask.site.mark, about, query.cursor) if query.cursor else None
    sought = _sought(ask, before=before)
    found = await stored(ask, lambda: ask.site.tasks.tasks.search(sought, query.limit + 1))
    page = found[: query.limit]
    following = None
    if len(found) > len(page):
        following = write_cursor(ask.site.mark, about, page[-1][0])
    answer = TasksAnswer(following, tuple(task_view(task) for _, task in page))
    return Response(msgspec.json.encode(answer), media_type=JSON)


async def show_task(ask: Ask) -> Response:
    """Of several with this uuid, the asker's own; else the newest that he sees."""
    sought = _sought(ask, uuid=ask.request.path_params["uuid"])
    found = await stored(ask, lambda: ask.site.tasks.tasks.search(sought, 1000))
    own = [task for _, task in found if task.owner == sought.owner]
    shown = [*own, *(task for _, task in found)]
    if not shown:
        raise NotThere("there is no such task, or none that you may see")
    return Response(msgspec.json.encode(task_view(shown[0])), media_type=JSON)


def task_view(task: KeptTask) -> TaskView:
    view = TaskView(
        uuid=task.uuid,
        name=task.name,
        user=task.user,
        cluster=task.cluster,
        made=task.made,
        monitor=task.monitor,
        task=task.given,
    )
    placed = task.placed
    if placed is None:
        return view
    return msgspec.structs.replace(
        view,
        job_id=str(placed.job_id),
        submit_time=placed.submitted,
        work_dir=placed.work_dir,
        stdout=placed.stdout,
        stderr=placed.stderr,
    )


def _sought(ask: Ask, **more: Any) -> Sought:
    who = ask.principal
    return Sought(str(who), who.sees_only, ask.cluster.name, **more)


def _user_of(ask: Ask, spec: TaskSpec) -> str:
    user = spec.username or ask.principal.user
    if not user:
        raise WrongAsk(f"username: {ask.principal} is nobody himself; say whose job it is")
    return user


def _uuid_of(ask: Ask, spec: TaskSpec) -> str:
    """A key that can be no uuid stands for one that is made of it."""
    if not ask.request.headers.getlist("Idempotency-Key"):
        return spec.uuid or str(uuid4())
    key = key_of(ask)
    named = key if UUID.fullmatch(key) else str(uuid5(NAMESPACE_URL, key))
    if spec.uuid not in ("", named):
        raise WrongAsk("Idempotency-Key: expected the task's uuid, or that one of them is left out")
    return named
