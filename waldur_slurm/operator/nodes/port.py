"""What the resource daemon asks of Kubernetes."""

from collections.abc import Mapping
from typing import Protocol

from waldur_slurm.operator.nodes.plan import Node, Step


class Nodes(Protocol):
    """All of it may raise `KubeError`."""

    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]: ...

    def list_nodes(self) -> tuple[Node, ...]: ...

    def change_node(self, node: str, step: Step) -> None: ...
