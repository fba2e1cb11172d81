"""The rows of the table of routes that are the dashboard."""

from dataclasses import replace

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.pages import (
    history,
    job,
    load,
    matrix,
    nodes,
    overview,
    queue,
    rules,
    sign_in,
    static_files,
    statistics,
)
from waldur_slurm.gateway.web.pages.acts import DEEDS, doing
from waldur_slurm.gateway.web.pages.rendering import HTML
from waldur_slurm.gateway.web.route import PUBLIC, Public, Route


def _shows(path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route("GET", path, scope, handler, says, Surface.PAGES, media_types=(HTML,))


def _does(path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route("POST", path, scope, handler, says, Surface.PAGES, media_types=(HTML,), status=303)


_OF_A_CLUSTER: tuple[Route, ...] = (
    _shows("/overview", Scope.CLUSTER_READ, overview.show_overview, "how full the cluster is"),
    _shows("/queue", Scope.JOBS_READ, queue.show_queue, "the queue, filtered and sorted"),
    _shows("/queue.csv", Scope.JOBS_READ, queue.send_queue, "the same as CSV, all of it"),
    _shows("/jobs/{job_id}", Scope.JOBS_READ, job.show_job, "one job"),
    *(
        _does(
            f"/jobs/{{job_id}}/{deed.verb}",
            deed.scope,
            doing(deed.verb),
            f"what its button {deed.title} does",
        )
        for deed in DEEDS
    ),
    _shows("/usage", Scope.CLUSTER_READ, matrix.show_matrix, "how full each node is"),
    _shows("/nodes", Scope.CLUSTER_READ, nodes.show_nodes, "the nodes"),
    _shows("/nodes/{node}", Scope.CLUSTER_READ, nodes.show_node, "one node and its jobs"),
    _shows("/load", Scope.CLUSTER_READ, load.show_load, "how full it was"),
    _shows("/history", Scope.HISTORY_READ, history.show_history, "jobs of the past, or their sums"),
    _shows("/history.csv", Scope.HISTORY_READ, history.send_history, "the same as CSV, all of it"),
    _shows("/accounts", Scope.ACCOUNTS_READ, rules.show_accounts, "accounts as a tree"),
    _shows(
        "/partitions",
        Scope.CLUSTER_READ,
        rules.show_rules,
        "partitions, QoS, reservations, licences",
    ),
    _shows(
        "/statistics", Scope.CLUSTER_READ, statistics.show_statistics, "slurmctld, and the gateway"
    ),
)


def _below(prefix: str) -> tuple[Route, ...]:
    return tuple(replace(route, path=f"{prefix}{route.path}") for route in _OF_A_CLUSTER)


PAGE_ROUTES: tuple[Route, ...] = (
    _shows("/ui", PUBLIC, sign_in.go_home, "leads to the first page that one may see"),
    _shows("/ui/clusters/{cluster}", PUBLIC, sign_in.go_home, "the same, of this cluster"),
    _shows("/ui/sign-in", PUBLIC, sign_in.show_sign_in, "the way in"),
    _does("/ui/sign-in", PUBLIC, sign_in.sign_in, "begins a session by a token"),
    _does("/ui/sign-out", PUBLIC, sign_in.sign_out, "ends the session"),
    _shows("/ui/oidc/sign-in", PUBLIC, sign_in.begin_at_issuer, "leads to the issuer of tokens"),
    _shows("/ui/oidc/callback", PUBLIC, sign_in.end_at_issuer, "where the issuer leads back to"),
    _shows("/ui/static/{version}/{file}", PUBLIC, static_files.send_static, "styles and scripts"),
    *_below("/ui"),
    *_below("/ui/clusters/{cluster}"),
)
