"""What is done to a node so that it carries what the site says, and nothing it said once. Pure.

What was put on a node stands in an annotation of it, so that exactly that is taken off again: a
label of the same kind that somebody else put there stays. Resources live apart from labels and are
written after them, so the annotation names them before they are there and until they are gone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from waldur_slurm.operator.model.cluster import INTEGRATION_TYPE, WORKLOAD_MANAGER, NodeEntry
from waldur_slurm.operator.model.slurm_job import GROUP

APPLIED = f"{GROUP}/applied"
"""The annotation that lists what was put on a node."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node as Kubernetes has it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was put on a node by us."""

    labels: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()

    def text(self) -> str | None:
        """Write it for the annotation; None where it says nothing."""
        if not self.labels and not self.resources:
            return None
        lists = {"labels": sorted(self.labels), "resources": sorted(self.resources)}
        return json.dumps(lists, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SetMeta:
    """Labels, and what the annotation says from then on."""

    labels: Mapping[str, str | None]
    applied: str | None


@dataclass(frozen=True, slots=True)
class SetCapacity:
    resources: Mapping[str, str | None]


Step = SetMeta | SetCapacity


def labels_of(entry: NodeEntry) -> dict[str, str]:
    """Say which labels a node should carry."""
    labels = {f"{GROUP}/{name}": value for name, value in entry.labels.items()}
    labels[WORKLOAD_MANAGER] = "slurm"
    if entry.slurm_local:
        labels[INTEGRATION_TYPE] = "local"
    elif entry.slurm_ssh:
        labels[INTEGRATION_TYPE] = "ssh"
    return labels


def resources_of(entry: NodeEntry) -> dict[str, str]:
    return {f"{GROUP}/{name}": str(count) for name, count in entry.resources.items()}


def plan_node(node: Node, entry: NodeEntry | None) -> Iterator[Step]:
    """Lead from what a node carries to what it should; one that is not named carries nothing."""
    labels = labels_of(entry) if entry else {}
    resources = resources_of(entry) if entry else {}
    before = read_applied(node.annotations.get(APPLIED, ""))
    after = Applied(frozenset(labels), frozenset(resources))
    capacity = _changes(node.capacity, resources, before.resources)
    there = {name for name in before.resources if name in node.capacity}
    meanwhile = Applied(after.labels, after.resources | there)
    changed = _changes(node.labels, labels, before.labels)
    if changed or (meanwhile != before and meanwhile.text() != node.annotations.get(APPLIED)):
        yield SetMeta(changed, meanwhile.text())
    if capacity:
        yield SetCapacity(capacity)
    if meanwhile != after:
        yield SetMeta({}, after.text())


def read_applied(text: str) -> Applied:
    """Read the annotation; whoever wrote nonsense into it gets nothing taken off."""
    try:
        told = json.loads(text)
        return Applied(_ours(told["labels"]), _ours(told["resources"]))
    except (ValueError, TypeError, LookupError):
        return Applied()


def _ours(names: Iterable[object]) -> frozenset[str]:
    """Believe only names that can be of ours: others have writers of their own."""
    return frozenset(str(name) for name in names if str(name).startswith(f"{GROUP}/"))


def _changes(
    found: Mapping[str, str], wanted: Mapping[str, str], ours: Iterable[str]
) -> dict[str, str | None]:
    changes: dict[str, str | None] = {
        name: value for name, value in sorted(wanted.items()) if found.get(name) != value
    }
    gone = (name for name in sorted(ours) if name in found and name not in wanted)
    return changes | dict.fromkeys(gone)
