"""The routes of tasks."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.tasks.task import TaskSpec
from waldur_slurm.gateway.web.native import tasks
from waldur_slurm.gateway.web.native.submit import SubmitHeaders
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.wire_watch import TasksAnswer, TaskView

TASK_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/tasks",
        Scope.JOBS_SUBMIT,
        tasks.submit_task,
        "hands a task in, once for each `uuid`: 201, and 200 with the same body again; its job is"
        " watched, so it needs `monitor:write` too",
        body=TaskSpec,
        answer=TaskView,
        headers=SubmitHeaders,
        status=201,
        also=(TaskView,),
    ),
    Route(
        "GET",
        "/tasks",
        Scope.MONITOR_READ,
        tasks.list_tasks,
        "tasks of one's own, and of those whose jobs one sees, page by page",
        query=tasks.TasksQuery,
        answer=TasksAnswer,
    ),
    Route(
        "GET",
        "/tasks/{uuid}",
        Scope.MONITOR_READ,
        tasks.show_task,
        "one task, as it was given, with its job",
        answer=TaskView,
    ),
)
