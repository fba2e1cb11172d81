"""The resource daemon: reads what the site says and what nodes carry, and makes them agree.

One entry that is wrong, or one node that will not have it, stops none of the others. What cannot be
read changes nothing, be it an entry or all of it; a text that names nobody takes everything off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from waldur_slurm.operator.config_map import CONFIG, SlurmConfig, read_config
from waldur_slurm.operator.kube.port import KubeError, Nodes
from waldur_slurm.operator.nodes.plan import Node, SetCapacity, SetMeta, Step, plan_node
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

    def turn(self) -> bool:
        """Make them agree, and return whether they do; what stands in the way is told once."""
        troubles: set[str] = set()
        try:
            found = self._nodes.read_config_map(self._where.namespace, self._where.name)
            nodes = self._nodes.list_nodes()
        except KubeError as error:
            return self._tell_of({f"nothing is changed: {error}"})
        config = read_config(found)
        troubles |= {str(each) for each in config.findings if each.key == CONFIG}
        troubles |= _strangers(config, nodes)
        for node in _understood(config, nodes):
            try:
                self._settle(node, config)
            except KubeError as error:
                troubles.add(f"node {node.name}: {error}")
        return self._tell_of(troubles)

    def _settle(self, node: Node, config: SlurmConfig) -> None:
        for step in plan_node(node, config.nodes.get(node.name)):
            self._nodes.change_node(node.name, step)
            self._tell_change(node, step)

    def _tell_change(self, node: Node, step: Step) -> None:
        """Of the annotation nobody needs to hear."""
        match step:
            case SetMeta(labels=changed):
                kind = "labels"
            case SetCapacity(resources=changed):
                kind = "resources"
        if changed:
            given = [f"{name}={value}" for name, value in changed.items() if value is not None]
            taken = [name for name, value in changed.items() if value is None]
            fields = {"node": node.name, "of": kind, "given": given, "taken": taken}
            self._tell(Event(name="node.changed", fields=fields))

    def _tell_of(self, troubles: set[str]) -> bool:
        """Say what is new of them; return whether there are none."""
        for trouble in sorted(troubles - self._told):
            fields = {"config_map": f"{self._where.namespace}/{self._where.name}", "what": trouble}
            self._tell(Event(name="node.trouble", level=Level.WARNING, fields=fields))
        self._told = frozenset(troubles)
        return not troubles


def _strangers(config: SlurmConfig, nodes: tuple[Node, ...]) -> set[str]:
    """Name what the site says of nodes that are not there."""
    there = {node.name for node in nodes}
    return {f"{name}: there is no such node" for name in config.nodes if name not in there}


def _understood(config: SlurmConfig, nodes: tuple[Node, ...]) -> Iterator[Node]:
    """Choose those of which it is known what they should carry."""
    if config.says_of_nodes:
        yield from (node for node in nodes if node.name not in config.doubtful)
