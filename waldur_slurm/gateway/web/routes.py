"""Every route of the gateway, in one table: it mounts the application and makes its pages.

A route says who may ask it. One without a scope, that is not `PUBLIC` either, cannot be written.
"""

from dataclasses import dataclass, replace
from typing import Final

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web import watching
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.native import about, accounts, cluster, history, job, jobs, lookup
from waldur_slurm.gateway.web.native.views import JobView


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


_READ_CLUSTER = Scope.CLUSTER_READ

_OF_A_CLUSTER: tuple[Route, ...] = (
    Route(
        "GET",
        "/jobs",
        Scope.JOBS_READ,
        jobs.list_jobs,
        "jobs that slurmctld knows now, page by page",
        query=jobs.JobsQuery,
        answer=jobs.JobsAnswer,
    ),
    Route(
        "GET",
        "/jobs/{job_id}",
        Scope.JOBS_READ,
        job.show_job,
        "one job, in the queue or in the accounting; waits for a change where asked to",
        query=job.JobQuery,
        answer=JobView,
    ),
    Route(
        "POST",
        "/jobs/lookup",
        Scope.JOBS_READ,
        lookup.look_up,
        "up to 1,000 jobs by their marks: present, absent or unknown",
        body=lookup.Lookup,
        answer=lookup.LookupAnswer,
    ),
    Route(
        "GET",
        "/history",
        Scope.HISTORY_READ,
        history.list_history,
        "jobs of the accounting, page by page; streamed as text/csv or application/x-ndjson",
        query=history.HistoryQuery,
        answer=history.HistoryAnswer,
    ),
    Route("GET", "/nodes", _READ_CLUSTER, cluster.list_nodes, "all nodes"),
    Route(
        "GET",
        "/nodes/{node}",
        _READ_CLUSTER,
        cluster.show_node,
        "one node, with the jobs on it that one may see",
        answer=cluster.NodeAnswer,
    ),
    Route("GET", "/partitions", _READ_CLUSTER, cluster.list_partitions, "all partitions"),
    Route("GET", "/reservations", _READ_CLUSTER, cluster.list_reservations, "all reservations"),
    Route("GET", "/licenses", _READ_CLUSTER, cluster.list_licenses, "all licences"),
    Route("GET", "/qos", _READ_CLUSTER, cluster.list_qos, "all QoS"),
    Route("GET", "/statistics", _READ_CLUSTER, cluster.show_statistics, "slurmctld's counters"),
    Route("GET", "/users", Scope.ACCOUNTS_READ, accounts.list_users, "users of the accounting"),
    Route(
        "GET",
        "/associations",
        Scope.ACCOUNTS_READ,
        accounts.list_associations,
        "which user may use which account",
    ),
)
"""Routes below `/api/v1`, of the default cluster; below `/api/v1/clusters/{cluster}` of any."""


def _below(prefix: str, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    return tuple(replace(route, path=f"{prefix}{route.path}") for route in routes)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/healthz", PUBLIC, watching.alive, "whether it runs", Surface.WATCH),
    Route("GET", "/readyz", PUBLIC, watching.ready, "whether Slurm answers it", Surface.WATCH),
    Route("GET", "/api/v1/me", PUBLIC, about.me, "who asks, what he may do, and why"),
    Route(
        "GET",
        "/api/v1/clusters",
        _READ_CLUSTER,
        cluster.list_clusters,
        "the clusters there are, and whether each answers",
    ),
    Route(
        "GET",
        "/api/v1/clusters/{cluster}",
        _READ_CLUSTER,
        cluster.show_cluster,
        "one cluster",
        answer=cluster.ClusterView,
    ),
    *_below("/api/v1", _OF_A_CLUSTER),
    *_below("/api/v1/clusters/{cluster}", _OF_A_CLUSTER),
)
