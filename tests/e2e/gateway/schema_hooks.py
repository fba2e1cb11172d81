"""What the native API's document says in words alone: no schema can, and so no tool knows it.

Loaded by schemathesis. It leaves out requests that are spelled as the document says and refused
all the same, each for a reason that stands here; the ones that are spelled wrongly all stay.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis

from waldur_slurm.gateway.errors import GatewayError, WrongAsk
from waldur_slurm.gateway.load.plan import DAY_S
from waldur_slurm.gateway.tasking import names_of
from waldur_slurm.gateway.tasks.plan import plan
from waldur_slurm.gateway.tasks.task import Reading, parse_task
from waldur_slurm.gateway.web.native.filters import read_time
from waldur_slurm.gateway.web.native.load import MOST_POINTS

Query = Mapping[str, Any]


def is_in_order(query: Query) -> bool:
    """A beginning comes before its end, and what has not been yet is nobody's history."""
    now = datetime.now(UTC)
    until = min(read_time(query["until"]), now) if query.get("until") else now
    return not query.get("since") or read_time(query["since"]) < until


def has_few_points(query: Query) -> bool:
    """A span of the load has an order too, and not too many steps."""
    until = read_time(query["to"]) if query.get("to") else datetime.now(UTC)
    since = read_time(query["from"]) if query.get("from") else until - timedelta(seconds=DAY_S)
    seconds = (until - since).total_seconds()
    return seconds > 1 and seconds / int(query.get("step") or 60) < MOST_POINTS


def is_one_job(body: Mapping[str, Any]) -> bool:
    """A job is for somebody, and either a script or a command, which alone has arguments."""
    has_command = bool(body.get("command"))
    has_one = has_command != bool(body.get("script"))
    return bool(body.get("user")) and has_one and (has_command or not body.get("args"))


def is_one_task(body: Mapping[str, Any], headers: Mapping[str, Any]) -> bool:
    """A task fits together, in many ways; its uuid and a key name it, not both of them."""
    if body.get("uuid") and headers.get("Idempotency-Key"):
        return False
    named = {**body, "uuid": body.get("uuid") or "u"}
    try:
        plan(parse_task(named, Reading.DOCUMENT), names_of(None))
    except WrongAsk:
        return False
    except GatewayError:
        return True
    return True


EXCEPT: Mapping[str, Callable[[Query], bool]] = {
    "/api/v1/history": is_in_order,
    "/api/v1/history/summary": is_in_order,
    "/api/v1/load": has_few_points,
}


@schemathesis.hook
def filter_case(_context: object, case: schemathesis.Case[Any]) -> bool:
    """Say whether the tool is to send it."""
    if (case.method, case.operation.path) == ("GET", "/api/v1/jobs/lookup"):
        return False  # this is how a job is asked for whose number is no number
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return True
    query, path = case.query or {}, case.path_parameters or {}
    headers: Mapping[str, Any] = {**case.headers} if case.headers else {}
    if any("[" in str(given.get("job_id")) for given in (query, path)):
        return False  # tasks in brackets ascend
    if headers.get("If-Match") == "":
        return False  # it fits no pattern of quotes, though the tool takes it to
    if case.operation.path == "/api/v1/jobs/lookup" and isinstance(case.body, dict):
        return bool(case.body.get("marks")) != bool(case.body.get("prefix"))
    if case.operation.path == "/api/v1/jobs" and isinstance(case.body, dict):
        return is_one_job(case.body)
    if case.operation.path == "/api/v1/tasks" and isinstance(case.body, dict):
        return is_one_task(case.body, headers)
    except_for = EXCEPT.get(case.operation.path)
    return except_for is None or except_for(query)
