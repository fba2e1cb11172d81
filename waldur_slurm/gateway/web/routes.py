"""Every route of the gateway, in one table: it mounts the application and makes its pages."""

from dataclasses import replace
from functools import cache

import msgspec
from starlette.responses import HTMLResponse, Response

from waldur_slurm import __version__
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web import metrics, watching
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.docs import CONTENT_SECURITY_POLICY, docs_page
from waldur_slurm.gateway.web.native import (
    about,
    accounts,
    cluster,
    events,
    history,
    job,
    jobs,
    load,
    lookup,
    reason,
    summary,
)
from waldur_slurm.gateway.web.native import cluster_views as views
from waldur_slurm.gateway.web.native.app_routes import APP_ROUTES
from waldur_slurm.gateway.web.native.file_routes import FILE_ROUTES
from waldur_slurm.gateway.web.native.monitor_routes import LETTER_ROUTES, MONITOR_ROUTES
from waldur_slurm.gateway.web.native.steer_routes import STEER_ROUTES
from waldur_slurm.gateway.web.native.submit_routes import SUBMIT_ROUTES
from waldur_slurm.gateway.web.native.task_routes import TASK_ROUTES
from waldur_slurm.gateway.web.openapi import document
from waldur_slurm.gateway.web.pages.page_routes import PAGE_ROUTES
from waldur_slurm.gateway.web.route import PUBLIC, Route
from waldur_slurm.gateway.web.seeds.controller_routes import CONTROLLER_ROUTES
from waldur_slurm.gateway.web.seeds.proxy_routes import PROXY_ROUTES
from waldur_slurm.gateway.web.seeds.restapi_routes import RESTAPI_ROUTES
from waldur_slurm.gateway.web.seeds.slurmer_routes import SLURMER_ROUTES
from waldur_slurm.gateway.wire import JobView, LookupAnswer, ReasonAnswer
from waldur_slurm.gateway.wire_cluster import (
    ClustersAnswer,
    ClusterView,
    HistoryAnswer,
    JobsAnswer,
    MeView,
    NodesAnswer,
    UsageAnswer,
)

_READ_CLUSTER = Scope.CLUSTER_READ

_OF_A_CLUSTER: tuple[Route, ...] = (
    *SUBMIT_ROUTES,
    Route(
        "GET",
        "/jobs",
        Scope.JOBS_READ,
        jobs.list_jobs,
        "jobs that slurmctld knows now, page by page",
        query=jobs.JobsQuery,
        compared=jobs.COMPARED,
        answer=JobsAnswer,
    ),
    Route(
        "GET",
        "/jobs/{job_id}",
        Scope.JOBS_READ,
        job.show_job,
        "one job, in the queue or in the accounting; waits for a change where asked to",
        query=job.JobQuery,
        answer=JobView,
        is_of_one_job=True,
    ),
    Route(
        "GET",
        "/jobs/{job_id}/parts",
        Scope.JOBS_READ,
        job.list_parts,
        "all tasks of an array, or all components of a job, ended ones too",
        answer=job.PartsAnswer,
    ),
    Route(
        "GET",
        "/jobs/{job_id}/reason",
        Scope.JOBS_READ,
        reason.show_reason,
        "why a job waits, what bears it out, what can be done, and when it may start",
        answer=ReasonAnswer,
        is_of_one_job=True,
    ),
    *FILE_ROUTES,
    Route(
        "POST",
        "/jobs/lookup",
        Scope.JOBS_READ,
        lookup.look_up,
        "up to 1,000 jobs by their marks: present, absent or unknown",
        body=lookup.Lookup,
        answer=LookupAnswer,
    ),
    *STEER_ROUTES,
    *MONITOR_ROUTES,
    *TASK_ROUTES,
    Route(
        "GET",
        "/events",
        Scope.JOBS_READ,
        events.follow,
        "what becomes of jobs, as server-sent events; `Last-Event-ID` goes on from there",
        query=events.EventsQuery,
        media_types=(events.EVENT_STREAM,),
    ),
    Route(
        "GET",
        "/history",
        Scope.HISTORY_READ,
        history.list_history,
        "jobs of the accounting, page by page; streamed as text/csv or application/x-ndjson",
        query=history.HistoryQuery,
        compared=history.COMPARED,
        answer=HistoryAnswer,
        media_types=(JSON, history.CSV, history.NDJSON),
    ),
    Route(
        "GET",
        "/history/summary",
        Scope.HISTORY_READ,
        summary.show_summary,
        "history added up by user, account, partition or day",
        query=summary.SummaryQuery,
        compared=history.COMPARED,
        answer=summary.SummaryAnswer,
    ),
    Route(
        "GET",
        "/nodes",
        _READ_CLUSTER,
        cluster.list_nodes,
        "all nodes",
        answer=NodesAnswer,
    ),
    Route(
        "GET",
        "/nodes/{node}",
        _READ_CLUSTER,
        cluster.show_node,
        "one node, with the jobs on it that one may see",
        answer=cluster.NodeAnswer,
    ),
    Route(
        "GET",
        "/partitions",
        _READ_CLUSTER,
        cluster.list_partitions,
        "all partitions",
        answer=cluster.list_type("partitions", views.PartitionView),
    ),
    Route(
        "GET",
        "/reservations",
        _READ_CLUSTER,
        cluster.list_reservations,
        "all reservations",
        answer=cluster.list_type("reservations", views.ReservationView),
    ),
    Route(
        "GET",
        "/licenses",
        _READ_CLUSTER,
        cluster.list_licenses,
        "all licences",
        answer=cluster.list_type("licenses", views.LicenseView),
    ),
    Route(
        "GET",
        "/qos",
        _READ_CLUSTER,
        cluster.list_qos,
        "all QoS",
        answer=cluster.list_type("qos", views.QosView),
    ),
    Route(
        "GET",
        "/statistics",
        _READ_CLUSTER,
        cluster.show_statistics,
        "slurmctld's counters",
        answer=cluster.StatisticsAnswer,
    ),
    Route(
        "GET",
        "/users",
        Scope.ACCOUNTS_READ,
        accounts.list_users,
        "users of the accounting",
        answer=cluster.list_type("users", accounts.PersonView),
    ),
    Route(
        "GET",
        "/accounts",
        Scope.ACCOUNTS_READ,
        accounts.show_accounts,
        "accounts as a tree, with who may use them",
        answer=accounts.AccountsAnswer,
    ),
    Route(
        "GET",
        "/usage",
        _READ_CLUSTER,
        load.show_usage,
        "what the jobs of each partition hold of each of its nodes",
        answer=UsageAnswer,
    ),
    Route(
        "GET",
        "/load",
        _READ_CLUSTER,
        load.show_load,
        "how full it was from `from` to `to`, a point each `step` seconds",
        query=load.LoadQuery,
        answer=load.LoadAnswer,
    ),
    Route(
        "GET",
        "/associations",
        Scope.ACCOUNTS_READ,
        accounts.list_associations,
        "which user may use which account",
        answer=cluster.list_type("associations", accounts.AssociationView),
    ),
)
"""Routes below `/api/v1`, of the default cluster; below `/api/v1/clusters/{cluster}` of any."""


def _below(prefix: str, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    return tuple(replace(route, path=f"{prefix}{route.path}") for route in routes)


@cache
def _openapi() -> bytes:
    return msgspec.json.encode(document(ROUTES, __version__))


@cache
def _docs() -> str:
    return docs_page(document(ROUTES, __version__))


async def show_docs(_ask: Ask) -> Response:
    return HTMLResponse(_docs(), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


async def show_openapi(_ask: Ask) -> Response:
    return Response(_openapi(), media_type=JSON)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/healthz",
        PUBLIC,
        watching.alive,
        "whether it runs; by any name or address",
        Surface.WATCH,
        is_by_any_name=True,
    ),
    Route("GET", "/readyz", PUBLIC, watching.ready, "whether Slurm answers it", Surface.WATCH),
    Route(
        "GET",
        "/version",
        PUBLIC,
        watching.show_version,
        "the gateway's version",
        Surface.WATCH,
        answer=watching.VersionAnswer,
    ),
    Route("GET", "/docs", PUBLIC, show_docs, "this table, for people", Surface.WATCH),
    Route(
        "GET",
        "/metrics",
        Scope.METRICS_READ,
        metrics.show_metrics,
        "the clusters, and the gateway itself, for Prometheus",
        Surface.WATCH,
    ),
    Route(
        "GET",
        "/api/v1/openapi.json",
        PUBLIC,
        show_openapi,
        "this table, as an OpenAPI 3.1 document",
    ),
    Route(
        "GET",
        "/api/v1/me",
        PUBLIC,
        about.me,
        "who asks, what he may do, and why",
        answer=MeView,
    ),
    Route(
        "GET",
        "/api/v1/clusters",
        _READ_CLUSTER,
        cluster.list_clusters,
        "the clusters there are, and whether each answers",
        answer=ClustersAnswer,
    ),
    Route(
        "GET",
        "/api/v1/clusters/{cluster}",
        _READ_CLUSTER,
        cluster.show_cluster,
        "one cluster",
        answer=ClusterView,
    ),
    *_below("/api/v1", _OF_A_CLUSTER),
    *_below("/api/v1/clusters/{cluster}", _OF_A_CLUSTER),
    *LETTER_ROUTES,
    *APP_ROUTES,
    *RESTAPI_ROUTES,
    *SLURMER_ROUTES,
    *PROXY_ROUTES,
    *CONTROLLER_ROUTES,
    *PAGE_ROUTES,
)
