"""The rows of the table of routes that are the dashboard."""

from dataclasses import replace

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.pages import (
    history,
    job,
    letters,
    load,
    matrix,
    monitors,
    nodes,
    overview,
    queue,
    rules,
    sign_in,
    static_files,
    statistics,
    tasks,
)
from waldur_slurm.gateway.web.pages.acts import DEEDS, doing
from waldur_slurm.gateway.web.pages.app_page_routes import APP_PAGE_ROUTES
from waldur_slurm.gateway.web.pages.rows import does, shows
from waldur_slurm.gateway.web.route import PUBLIC, Route

_OF_A_CLUSTER: tuple[Route, ...] = (
    shows("/overview", Scope.CLUSTER_READ, overview.show_overview, "how full the cluster is"),
    shows("/queue", Scope.JOBS_READ, queue.show_queue, "the queue, filtered and sorted"),
    shows("/queue.csv", Scope.JOBS_READ, queue.send_queue, "the same as CSV, all of it"),
    shows("/jobs/{job_id}", Scope.JOBS_READ, job.show_job, "one job"),
    *(
        does(
            f"/jobs/{{job_id}}/{deed.verb}",
            deed.scope,
            doing(deed.verb),
            f"what its button {deed.title} does",
        )
        for deed in DEEDS
    ),
    shows("/usage", Scope.CLUSTER_READ, matrix.show_matrix, "how full each node is"),
    shows("/nodes", Scope.CLUSTER_READ, nodes.show_nodes, "the nodes"),
    shows("/nodes/{node}", Scope.CLUSTER_READ, nodes.show_node, "one node and its jobs"),
    shows("/load", Scope.CLUSTER_READ, load.show_load, "how full it was"),
    shows("/history", Scope.HISTORY_READ, history.show_history, "jobs of the past, or their sums"),
    shows("/history.csv", Scope.HISTORY_READ, history.send_history, "the same as CSV, all of it"),
    shows("/accounts", Scope.ACCOUNTS_READ, rules.show_accounts, "accounts as a tree"),
    shows(
        "/partitions",
        Scope.CLUSTER_READ,
        rules.show_rules,
        "partitions, QoS, reservations, licences",
    ),
    shows("/tasks", Scope.MONITOR_READ, tasks.show_tasks, "tasks, the newest first"),
    shows("/tasks/{uuid}", Scope.MONITOR_READ, tasks.show_task, "one task, its job and letters"),
    shows("/monitors", Scope.MONITOR_READ, monitors.show_monitors, "monitors, the newest first"),
    shows(
        "/monitors/{monitor_id}",
        Scope.MONITOR_READ,
        monitors.show_monitor,
        "one monitor, with all that became of it",
    ),
    does(
        "/monitors/{monitor_id}/test",
        Scope.MONITOR_WRITE,
        monitors.send_test,
        "what its button Send a test letter does",
    ),
    does(
        "/monitors/{monitor_id}/forget",
        Scope.MONITOR_WRITE,
        monitors.forget,
        "what its button Forget does",
    ),
    shows(
        "/statistics", Scope.CLUSTER_READ, statistics.show_statistics, "slurmctld, and the gateway"
    ),
)


def _below(prefix: str) -> tuple[Route, ...]:
    return tuple(replace(route, path=f"{prefix}{route.path}") for route in _OF_A_CLUSTER)


PAGE_ROUTES: tuple[Route, ...] = (
    shows("/ui", PUBLIC, sign_in.go_home, "leads to the first page that one may see"),
    shows("/ui/clusters/{cluster}", PUBLIC, sign_in.go_home, "the same, of this cluster"),
    shows("/ui/sign-in", PUBLIC, sign_in.show_sign_in, "the way in"),
    does("/ui/sign-in", PUBLIC, sign_in.sign_in, "begins a session by a token"),
    does("/ui/sign-out", PUBLIC, sign_in.sign_out, "ends the session"),
    shows("/ui/oidc/sign-in", PUBLIC, sign_in.begin_at_issuer, "leads to the issuer of tokens"),
    shows("/ui/oidc/callback", PUBLIC, sign_in.end_at_issuer, "where the issuer leads back to"),
    shows("/ui/static/{version}/{file}", PUBLIC, static_files.send_static, "styles and scripts"),
    shows("/ui/letters", Scope.MONITOR_READ, letters.show_letters, "letters, the newest first"),
    does(
        "/ui/letters/{message_id}/again",
        Scope.MONITOR_WRITE,
        letters.send_again,
        "what its button Send again does",
    ),
    *APP_PAGE_ROUTES,
    *_below("/ui"),
    *_below("/ui/clusters/{cluster}"),
)
