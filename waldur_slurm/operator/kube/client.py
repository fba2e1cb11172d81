"""The operator's questions and writes, in the API server's words."""

from collections.abc import Mapping
from typing import Any

from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.operator.nodes.plan import APPLIED, Node, SetCapacity, SetMeta, Step


class KubeClient:
    """`nodes.port.Nodes`."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        return self._talk.get(paths.within(namespace, "configmaps", name)).get("data") or {}

    def list_nodes(self) -> tuple[Node, ...]:
        return tuple(map(read_node, self._talk.list(paths.NODES)))

    def change_node(self, node: str, step: Step) -> None:
        match step:
            case SetMeta(labels, applied):
                annotations = {APPLIED: applied}
                meta = {"labels": dict(labels), "annotations": annotations}
                self._talk.patch(paths.node(node), {"metadata": meta})
            case SetCapacity(resources):
                capacity = {"capacity": dict(resources)}
                self._talk.patch(f"{paths.node(node)}/status", {"status": capacity})


def read_node(found: Mapping[str, Any]) -> Node:
    meta, status = found["metadata"], found.get("status") or {}
    return Node(
        name=meta["name"],
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        capacity=status.get("capacity") or {},
    )
