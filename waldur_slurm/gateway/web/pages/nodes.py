"""Nodes: all of them, filtered and sorted here, and each with the jobs on it."""

from collections import Counter
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.cluster import find_node
from waldur_slurm.gateway.web.native.cluster_views import node_view
from waldur_slurm.gateway.web.native.filters import sort_of
from waldur_slurm.gateway.web.pages.rendering import link_with, page, shown
from waldur_slurm.gateway.wire_cluster import NodeView
from waldur_slurm.model.cluster import Node

SORTS: dict[str, Callable[[Node], Any]] = {
    "name": lambda node: node.name,
    "state": lambda node: str(node.state),
    "cpus": lambda node: node.allocated_cpus / node.cpus if node.cpus else 0.0,
    "memory": lambda node: node.allocated_memory_mib / node.memory_mib if node.memory_mib else 0.0,
    "load": lambda node: -1.0 if node.load is None else node.load,
}


class NodesQuery(msgspec.Struct, frozen=True):
    """`why`: nodes that somebody, or Slurm, gave a reason for."""

    state: str = ""
    partition: str = ""
    name: str = ""
    why: bool = False
    sort: str = "name"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1


_DEFAULTS = msgspec.structs.asdict(NodesQuery())


@page
async def show_nodes(ask: Ask) -> Response:
    query = ask.query(NodesQuery)
    sort, is_downward = sort_of(query.sort, SORTS)
    seen = await ask.see(ask.cluster.nodes)
    every = seen.picture.value
    fitting = [node for node in every if _fits(node, query)]
    states = Counter(str(node.state).lower() for node in fitting)
    wanted = [node for node in fitting if query.state.lower() in ("", str(node.state).lower())]
    ordered = sorted(wanted, key=lambda node: (SORTS[sort](node), node.name), reverse=is_downward)
    given = msgspec.structs.asdict(query)
    return await shown(
        ask,
        "nodes.html",
        title="Nodes",
        query=query,
        nodes=_cut(ordered, query),
        total=len(ordered),
        pages=max(-(-len(ordered) // query.limit), 1),
        states=states.most_common(),
        partitions=sorted({name for node in every for name in node.partitions}),
        with_why=sum(node.why is not None for node in every),
        sort=sort,
        is_downward=is_downward,
        link=link_with({key: value for key, value in given.items() if value != _DEFAULTS[key]}),
        age_s=seen.age_s,
        silence=seen.silence,
    )


@page
async def show_node(ask: Ask) -> Response:
    answer, seen = await find_node(ask, ask.request.path_params["node"])
    return await shown(
        ask,
        "node.html",
        title=f"Node {answer.node.name}",
        node=answer.node,
        jobs=answer.jobs,
        age_s=seen.age_s,
        silence=seen.silence,
    )


def _fits(node: Node, query: NodesQuery) -> bool:
    pattern = query.name if "*" in query.name or "?" in query.name else f"*{query.name}*"
    return (
        (not query.partition or query.partition in node.partitions)
        and (not query.name or fnmatchcase(node.name, pattern))
        and (not query.why or node.why is not None)
    )


def _cut(nodes: Sequence[Node], query: NodesQuery) -> tuple[NodeView, ...]:
    begin = (query.page - 1) * query.limit
    return tuple(map(node_view, nodes[begin : begin + query.limit]))
