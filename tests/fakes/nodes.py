"""Nodes of a Kubernetes in memory."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from waldur_slurm.operator.errors import Gone, KubeError
from waldur_slurm.operator.nodes.plan import APPLIED, Node, SetCapacity, SetMeta, Step


@dataclass
class FakeNodes:
    """`nodes.port.Nodes`; `refusing` raises at what is done to these nodes."""

    nodes: dict[str, Node] = field(default_factory=dict)
    maps: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    refusing: dict[str, KubeError] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        self.calls["read_config_map"] += 1
        try:
            return self.maps[namespace, name]
        except KeyError:
            raise Gone(f'configmaps "{name}" not found') from None

    def list_nodes(self) -> tuple[Node, ...]:
        self.calls["list_nodes"] += 1
        return tuple(self.nodes.values())

    def change_node(self, node: str, step: Step) -> None:
        self.calls["change_node"] += 1
        if node in self.refusing:
            raise self.refusing[node]
        self.nodes[node] = changed(self.nodes[node], step)


def changed(node: Node, step: Step) -> Node:
    """Do to a node what the API server does."""
    match step:
        case SetMeta(labels, applied):
            annotations = patched(node.annotations, {APPLIED: applied})
            return replace(node, labels=patched(node.labels, labels), annotations=annotations)
        case SetCapacity(resources):
            return replace(node, capacity=patched(node.capacity, resources))


def patched(found: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    after = {**found, **{name: value for name, value in changes.items() if value is not None}}
    return {name: value for name, value in after.items() if changes.get(name, value) is not None}
