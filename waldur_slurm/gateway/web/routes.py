"""Every route of the gateway, in one table: it mounts the application and makes its pages.

A route says who may ask it. One without a scope, that is not `PUBLIC` either, cannot be written.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web import watching
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native import about, jobs
from waldur_slurm.gateway.web.native.views import JobView
from waldur_slurm.gateway.web.seeds import restapi, restapi_records

Handler = Callable[[Ask], Awaitable[Response]]


class Public:
    """Marks what anybody may ask, without a token."""


PUBLIC: Final = Public()


@dataclass(frozen=True, slots=True)
class Route:
    """`query` and `body` are what may be asked with, `answer` what comes back, as JSON."""

    method: str
    path: str
    scope: Scope | Public
    handler: Handler
    says: str
    surface: Surface = Surface.NATIVE
    query: type | None = None
    body: type | None = None
    answer: type | None = None


def _restapi(path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route("GET", path, scope, handler, says, Surface.RESTAPI)


_READ = Scope.CLUSTER_READ

_RESTAPI = (
    _restapi("/", PUBLIC, restapi.index, "a page that tries the routes beside it"),
    _restapi("/users", Scope.ACCOUNTS_READ, restapi_records.users, "users' associations"),
    _restapi("/history", Scope.HISTORY_READ, restapi_records.history, "jobs of the accounting"),
    _restapi("/queue", Scope.JOBS_READ, restapi.queue, "jobs that slurmctld knows now"),
    _restapi("/partitions", _READ, restapi.partitions, "partitions"),
    _restapi("/nodes", _READ, restapi.nodes, "nodes"),
    _restapi("/usage", _READ, restapi.usage, "what jobs hold, by partition and node"),
    _restapi("/stats", _READ, restapi.statistics, "how slurmctld is doing"),
    _restapi("/load", _READ, restapi.load, "how full the cluster was, from the archive"),
)

ROUTES: tuple[Route, ...] = (
    *_RESTAPI,
    Route("GET", "/healthz", PUBLIC, watching.alive, "whether it runs", Surface.WATCH),
    Route("GET", "/readyz", PUBLIC, watching.ready, "whether Slurm answers it", Surface.WATCH),
    Route("GET", "/api/v1/me", PUBLIC, about.me, "who asks, what he may do, and why"),
    Route(
        "GET",
        "/api/v1/jobs",
        Scope.JOBS_READ,
        jobs.list_jobs,
        "jobs that slurmctld knows now",
        query=jobs.JobsQuery,
        answer=jobs.JobsAnswer,
    ),
    Route(
        "GET",
        "/api/v1/jobs/{job_id}",
        Scope.JOBS_READ,
        jobs.show_job,
        "one job",
        answer=JobView,
    ),
)
