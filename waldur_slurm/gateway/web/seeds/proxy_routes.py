"""The third original's routes, as rows of the table; each is there with a last slash too."""

from starlette.responses import PlainTextResponse, Response

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Ask, Handler
from waldur_slurm.gateway.web.route import PUBLIC, Public, Route
from waldur_slurm.gateway.web.seeds import (
    proxy,
    proxy_by_state,
    proxy_monitors,
    proxy_passing,
    proxy_register,
)


async def ping(_ask: Ask) -> Response:
    return PlainTextResponse("pong", media_type="text/html")


def _row(method: str, path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route(method, path, scope, handler, says, Surface.PROXY)


_BY_JOB = "/monitor/slurm_job_id/{job_id}"
_BY_UUID = "/monitor/task_uuid/{task_uuid}"
_BY_STATE = "/monitor/slurm_job_state/{state}"
_SEE, _WATCH, _CANCEL = Scope.MONITOR_READ, Scope.MONITOR_WRITE, Scope.JOBS_CANCEL
_ALL, _SUBMIT = Scope.JOBS_READ_ALL, Scope.JOBS_SUBMIT

PROXY_ROUTES: tuple[Route, ...] = (
    _row("GET", "/ping", PUBLIC, ping, "whether it runs"),
    _row("POST", "/submit", _SUBMIT, proxy.submit, "hands a task's job in, once"),
    _row("POST", "/monitor", _WATCH, proxy_register.register, "watches a job from anywhere"),
    _row("GET", _BY_JOB, _SEE, proxy_monitors.show_by_job, "the monitor of a job, and its state"),
    _row("DELETE", _BY_JOB, _CANCEL, proxy_monitors.delete, "cancels a job, forgets its monitor"),
    _row("GET", _BY_UUID, _SEE, proxy_monitors.show_by_uuid, "the monitor of a task"),
    _row("GET", _BY_STATE, _SEE, proxy_by_state.show_by_state, "all jobs in one state"),
    _row("GET", "/slurm/diag", Scope.CLUSTER_READ, proxy_passing.diag, "slurmrestd's counters"),
    _row("GET", "/slurm/jobs/{update_time}", _ALL, proxy_passing.jobs, "slurmrestd's jobs since"),
    _row("GET", "/slurm/job/{job_id}", _ALL, proxy_passing.job, "one job, as slurmrestd has it"),
    _row("POST", "/slurm/job/submit", _SUBMIT, proxy_passing.submit, "a job for slurmrestd"),
)
