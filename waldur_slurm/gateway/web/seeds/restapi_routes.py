"""The second original's routes, as rows of the table."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.route import PUBLIC, Public, Route
from waldur_slurm.gateway.web.seeds import restapi, restapi_records


def _get(path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route("GET", path, scope, handler, says, Surface.RESTAPI)


_READ = Scope.CLUSTER_READ

RESTAPI_ROUTES: tuple[Route, ...] = (
    _get("/", PUBLIC, restapi.index, "a page that tries the routes beside it"),
    _get("/users", Scope.ACCOUNTS_READ, restapi_records.users, "users' associations"),
    _get("/history", Scope.HISTORY_READ, restapi_records.history, "jobs of the accounting"),
    _get("/queue", Scope.JOBS_READ, restapi.queue, "jobs that slurmctld knows now"),
    _get("/partitions", _READ, restapi.partitions, "partitions"),
    _get("/nodes", _READ, restapi.nodes, "nodes"),
    _get("/usage", _READ, restapi.usage, "what jobs hold, by partition and node"),
    _get("/stats", _READ, restapi.statistics, "how slurmctld is doing"),
    _get("/load", _READ, restapi.load, "how full the cluster was, from the archive"),
)
