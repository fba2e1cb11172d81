"""Tasks: a list, and one with what was asked for, its job, and the letters of its monitor."""

import json
from typing import Annotated

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import stored
from waldur_slurm.gateway.web.native.monitors import letters_of, watching
from waldur_slurm.gateway.web.native.spelling import Cursor
from waldur_slurm.gateway.web.native.tasks import TasksQuery, find_task, find_tasks
from waldur_slurm.gateway.web.pages.letters import letter_rows
from waldur_slurm.gateway.web.pages.rendering import changed, link_with, page, shown
from waldur_slurm.gateway.wire_watch import TaskView


class TasksPageQuery(msgspec.Struct, frozen=True):
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


@page
async def show_tasks(ask: Ask) -> Response:
    query = ask.query(TasksPageQuery)
    found = await find_tasks(ask, TasksQuery(query.cursor, query.limit))
    link = link_with(changed(query, "cursor"))
    return await shown(ask, "tasks.html", title="Tasks", found=found, query=query, link=link)


@page
async def show_task(ask: Ask) -> Response:
    task = await find_task(ask)
    monitor = await _monitor_of(ask, task)
    letters = () if monitor is None else letter_rows(ask, await letters_of(ask, monitor))
    return await shown(
        ask,
        "task.html",
        title=f"Task {task.uuid}",
        task=task,
        monitor=monitor,
        letters=letters,
        asked=as_asked(task),
    )


def as_asked(task: TaskView) -> str:
    """Write it as JSON that people read; what would not be seen, or turn a line round, is named."""
    text = json.dumps(task.task, indent=2, ensure_ascii=False)
    return "".join(
        each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text
    )


async def _monitor_of(ask: Ask, task: TaskView) -> Monitor | None:
    """Return it where it is still kept; whoever sees the task sees it."""
    if ask.site.watching is None:
        return None
    return await stored(ask, lambda: watching(ask).monitors.find(task.monitor))
