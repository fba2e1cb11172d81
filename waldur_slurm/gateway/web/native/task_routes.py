"""The routes of tasks."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.tasks.task import TaskSpec
from waldur_slurm.gateway.web.native import tasks
from waldur_slurm.gateway.web.native.submit import SubmitHeaders
from waldur_slurm.gateway.web.route import Route

TASK_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/tasks",
        Scope.JOBS_SUBMIT,
        tasks.submit_task,
        "hands a task in, once for each `uuid`: 201, and 200 with the same body again; its job is"
        " watched, so it needs `monitor:write` too",
        body=TaskSpec,
        answer=tasks.TaskView,
        headers=SubmitHeaders,
        status=201,
        also=(tasks.TaskView,),
    ),
    Route(
        "GET",
        "/tasks",
        Scope.MONITOR_READ,
        tasks.list_tasks,
        "tasks of one's own, and of those whose jobs one sees, page by page",
        query=tasks.TasksQuery,
        answer=tasks.TasksAnswer,
    ),
    Route(
        "GET",
        "/tasks/{uuid}",
        Scope.MONITOR_READ,
        tasks.show_task,
        "one task, as it was given, with its job",
        answer=tasks.TaskView,
    ),
)
