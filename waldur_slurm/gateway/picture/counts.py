"""How much there is of everything, for those who watch a cluster over time. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from waldur_slurm.model.cluster import Node
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.tres import tres_name

_GPU = tres_name("gres/gpu")

Pairs = Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Jobs by a name and their state; tasks of an array that wait together are one."""

    by_state: Counter[str] = field(default_factory=Counter)
    by_user: Pairs = field(default_factory=Counter)
    by_account: Pairs = field(default_factory=Counter)
    by_partition: Pairs = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Nodes, and what they have, by the state of the node; what is allocated of it beside."""

    nodes: Counter[str] = field(default_factory=Counter)
    by_partition: Pairs = field(default_factory=Counter)
    cpus_by_partition: Pairs = field(default_factory=Counter)
    cpus: Pairs = field(default_factory=Counter)
    memory_mib: Pairs = field(default_factory=Counter)
    gpus: Pairs = field(default_factory=Counter)


def count_jobs(jobs: Iterable[LiveJob]) -> JobCounts:
    """A job that waits for one of several partitions counts in each."""
    counts = JobCounts()
    for job in jobs:
        state = job.state.base.lower()
        counts.by_state[state] += 1
        counts.by_user[job.user, state] += 1
        counts.by_account[job.account, state] += 1
        for partition in job.partition.split(","):
            counts.by_partition[partition, state] += 1
    return counts


def count_nodes(nodes: Iterable[Node]) -> NodeCounts:
    """A node counts in each partition that it is in."""
    counts = NodeCounts()
    for node in nodes:
        state = "+".join((node.state.base, *sorted(node.state.flags))).lower()
        counts.nodes[state] += 1
        for partition in node.partitions:
            counts.by_partition[partition, state] += 1
            _split(counts.cpus_by_partition, partition, node.cpus, node.allocated_cpus)
        gpus, gpus_given = node.tres.get(_GPU, 0), node.allocated_tres.get(_GPU, 0)
        for counter, have, given in (
            (counts.cpus, node.cpus, node.allocated_cpus),
            (counts.memory_mib, node.memory_mib, node.allocated_memory_mib),
            (counts.gpus, gpus, gpus_given),
        ):
            _split(counter, state, have, given)
    return counts


def _split(counter: Pairs, of: str, have: int, given: int) -> None:
    counter[of, "allocated"] += given
    counter[of, "free"] += max(have - given, 0)
