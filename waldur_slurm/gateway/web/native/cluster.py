"""What a cluster consists of and how it is doing: nodes, partitions, rules, counters."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import NotNow, NotThere
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.keeper import Keeper, Seen
from waldur_slurm.gateway.web.answers import JSON, from_picture, seen_headers
from waldur_slurm.gateway.web.ask import Ask, Handler
from waldur_slurm.gateway.web.native.cluster_views import (
    StatisticsView,
    license_view,
    node_view,
    partition_view,
    qos_view,
    reservation_view,
    statistics_view,
)
from waldur_slurm.gateway.web.native.lookup import MOST_MARKS
from waldur_slurm.gateway.web.native.steer_bodies import MOST_CANCELLED
from waldur_slurm.gateway.web.native.views import job_view
from waldur_slurm.gateway.wire import JobView
from waldur_slurm.gateway.wire_cluster import ClustersAnswer, ClusterView, LimitsView, NodeView
from waldur_slurm.hand.requests import MOST_SCRIPT, MOST_VARIABLES
from waldur_slurm.model.cluster import Node
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.slurm.grammar.keeping import Rules, rules_of

Value = TypeVar("Value")

LIMITS = LimitsView(
    script_bytes=MOST_SCRIPT,
    variables_bytes=MOST_VARIABLES,
    lookup_marks=MOST_MARKS,
    cancelled_jobs=MOST_CANCELLED,
)


class StatisticsAnswer(msgspec.Struct, frozen=True):
    cluster: str
    as_of: datetime
    statistics: StatisticsView


class NodeAnswer(msgspec.Struct, frozen=True):
    """`jobs` are those on it that the asker may see."""

    node: NodeView
    jobs: tuple[JobView, ...]


async def list_clusters(ask: Ask) -> Response:
    views = [await cluster_view(ask, each) for each in ask.site.clusters.values()]
    return Response(msgspec.json.encode(ClustersAnswer(tuple(views))), media_type=JSON)


async def show_cluster(ask: Ask) -> Response:
    view = await cluster_view(ask, ask.cluster)
    return Response(msgspec.json.encode(view), media_type=JSON)


async def show_node(ask: Ask) -> Response:
    answer, seen = await find_node(ask, ask.request.path_params["node"])
    return Response(msgspec.json.encode(answer), headers=seen_headers(seen), media_type=JSON)


async def find_node(ask: Ask, name: str) -> tuple[NodeAnswer, Seen[tuple[Node, ...]]]:
    """Return it with the jobs on it; raises `NotThere`."""
    nodes, jobs = await ask.see(ask.cluster.nodes), await ask.see(ask.cluster.jobs)
    node = next((node for node in nodes.picture.value if node.name == name), None)
    if node is None:
        raise NotThere(f"there is no node {name}")
    mine = ask.principal.sees_only
    there = [
        job_view(job, ask.cluster.name, jobs.picture.as_of)
        for job in jobs.picture.value.jobs
        if (mine is None or job.user in mine)
        and not job.state.is_terminal
        and name in expand_hosts(job.hosts)
    ]
    return NodeAnswer(node_view(node), tuple(there)), nodes


def listing(
    name: str,
    keeper_of: Callable[[ClusterPictures], Keeper[tuple[Value, ...]]],
    view: Callable[[Value], Any],
    owner_of: Callable[[Value], str] | None = None,
) -> Handler:
    """Make the handler that shows all of one kind.

    Everybody who may ask sees the same, but of what has an owner: who may not see others' jobs
    sees his own.
    """

    async def list_all(ask: Ask) -> Response:
        mine = ask.principal.sees_only if owner_of else None

        def views(values: tuple[Value, ...]) -> list[Any]:
            if owner_of is None or mine is None:
                return [view(each) for each in values]
            return [view(each) for each in values if owner_of(each) in mine]

        seen = await ask.see(keeper_of(ask.cluster))
        return await _shown(ask, name, seen, views, is_shared=mine is None)

    return list_all


async def _shown(
    ask: Ask,
    name: str,
    seen: Seen[Value],
    view: Callable[[Value], Any],
    *,
    is_shared: bool = True,
) -> Response:
    def make() -> bytes:
        picture = seen.picture
        head = {"cluster": ask.cluster.name, "as_of": picture.as_of}
        return msgspec.json.encode({**head, name: view(picture.value)})

    return await from_picture(ask, seen, name, make, is_shared=is_shared)


def list_type(name: str, view: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Describe what a listing answers with."""
    fields = [("cluster", str), ("as_of", datetime), (name, tuple[view, ...])]  # type: ignore[valid-type]  # made here
    return msgspec.defstruct(f"{view.__name__.removesuffix('View')}List", fields, frozen=True)


list_nodes = listing("nodes", lambda cluster: cluster.nodes, node_view)
list_partitions = listing("partitions", lambda cluster: cluster.partitions, partition_view)
list_reservations = listing("reservations", lambda cluster: cluster.reservations, reservation_view)
list_licenses = listing("licenses", lambda cluster: cluster.licenses, license_view)
list_qos = listing("qos", lambda cluster: cluster.qos, qos_view)


async def show_statistics(ask: Ask) -> Response:
    return await _shown(ask, "statistics", await ask.see(ask.cluster.statistics), statistics_view)


async def cluster_view(ask: Ask, cluster: ClusterPictures) -> ClusterView:
    """Show it also while it is silent: that is when people look."""
    said = ""
    try:
        configuration = dict((await ask.see(cluster.configuration)).picture.value)
    except NotNow as silence:
        configuration, said = {}, str(silence)
    jobs = cluster.jobs.last
    said = cluster.jobs.silence or said
    rules = rules_of(configuration) if configuration else None
    return ClusterView(
        name=cluster.name,
        is_default=cluster.name == ask.site.default_cluster,
        reachable=not said,
        said=said,
        jobs_as_of=jobs.as_of if jobs else None,
        slurm=configuration.get("SLURM_VERSION"),
        min_job_age_s=_seconds(rules) if rules else None,
        stores_comments=rules.stores_comments if rules else None,
        limits=LIMITS,
        hidden=cluster.hidden,
    )


def _seconds(rules: Rules) -> int:
    return int(rules.min_job_age.total_seconds()) if rules.min_job_age else 0
