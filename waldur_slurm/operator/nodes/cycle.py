"""The resource daemon: reads what the site says and what nodes carry, and makes them agree.

One entry that is wrong, or one node that will not have it, stops none of the others. What cannot be
read changes nothing, be it an entry or all of it; a text that names nobody takes everything off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event as Bell

from waldur_slurm.operator.config_map import CONFIG, SlurmConfig, read_config
from waldur_slurm.operator.kube.port import KubeError, Nodes
from waldur_slurm.operator.nodes.plan import Node, plan_node
from waldur_slurm.telemetry.events import Event, Level, Sink


@dataclass(frozen=True, slots=True)
class Where:
    """Which ConfigMap."""

    namespace: str
    name: str


class ResourceDaemon:
    def __init__(self, nodes: Nodes, where: Where, tell: Sink) -> None:
        self._nodes = nodes
        self._where = where
        self._tell = tell
        self._told: frozenset[str] = frozenset()

    def run(self, every_s: float, leaving: Bell) -> None:
        """Make them agree again and again: a kubelet that starts anew forgets its resources."""
        while not leaving.is_set():
            self.turn()
            leaving.wait(every_s)

    def turn(self) -> None:
        """Make them agree once; whatever stands in the way is told once, while it lasts."""
        troubles: set[str] = set()
        try:
            found = self._nodes.read_config_map(self._where.namespace, self._where.name)
            nodes = self._nodes.list_nodes()
        except KubeError as error:
            self._tell_of({f"nothing is changed: {error}"})
            return
        config = read_config(found)
        troubles |= {str(each) for each in config.findings if each.key == CONFIG}
        troubles |= _strangers(config, nodes)
        for node in _understood(config, nodes):
            try:
                self._settle(node, config)
            except KubeError as error:
                troubles.add(f"node {node.name}: {error}")
        self._tell_of(troubles)

    def _settle(self, node: Node, config: SlurmConfig) -> None:
        for step in plan_node(node, config.nodes.get(node.name)):
            self._nodes.change_node(node.name, step)
            fields = {"node": node.name, "step": str(step)}
            self._tell(Event(name="node.changed", fields=fields))

    def _tell_of(self, troubles: set[str]) -> None:
        for trouble in sorted(troubles - self._told):
            fields = {"config_map": f"{self._where.namespace}/{self._where.name}", "what": trouble}
            self._tell(Event(name="node.trouble", level=Level.WARNING, fields=fields))
        self._told = frozenset(troubles)


def _strangers(config: SlurmConfig, nodes: tuple[Node, ...]) -> set[str]:
    """Name what the site says of nodes that are not there."""
    there = {node.name for node in nodes}
    return {f"{name}: there is no such node" for name in config.nodes if name not in there}


def _understood(config: SlurmConfig, nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Choose those of which it is known what they should carry."""
    if config.says_of_nodes:
        yield from (node for node in nodes if node.name not in config.doubtful)
