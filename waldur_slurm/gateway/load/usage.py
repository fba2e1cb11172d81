"""Who holds how much of each node, partition by partition. Pure.

A matrix: every row is a partition and has every node, in one order, also those that are not its
own. What a job holds is what Slurm says it holds on each node, however it asked for it. A partition
without nodes, one that is left out, a suspended job or one whose details are not certain changes
its own numbers alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.cluster import Node, Partition
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.job_state import Phase
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.tres import TresName

_MEMORY = TresName("mem")
_HOLDING = frozenset({Phase.RUNNING, Phase.SUSPENDED})

Details = Mapping[Run, JobDetails]


@dataclass(frozen=True, slots=True)
class Held:
    """What some jobs hold, and how many they are."""

    cpus: int = 0
    memory_mib: int = 0
    jobs: int = 0

    def and_of(self, cpus: int, memory_mib: int) -> "Held":
        return Held(self.cpus + cpus, self.memory_mib + memory_mib, self.jobs + 1)


@dataclass(frozen=True, slots=True)
class NodeUse:
    """A node, and what jobs of one partition hold of it."""

    node: Node
    held: Held

    @property
    def load(self) -> float:
        return load_of(self.held.cpus, self.node.cpus, self.held.memory_mib, self.node.memory_mib)


@dataclass(frozen=True, slots=True)
class PartitionUse:
    """`nodes` has every node of the matrix; None stands for one that is not the partition's."""

    partition: Partition
    nodes: Mapping[str, NodeUse | None]

    @property
    def own(self) -> tuple[NodeUse, ...]:
        return tuple(use for use in self.nodes.values() if use is not None)

    @property
    def load(self) -> float:
        """The mean over its nodes of what its own jobs hold, by CPUs or memory, from 0 to 1."""
        return _mean(use.load for use in self.own)


@dataclass(frozen=True, slots=True)
class Usage:
    """`nodes` are all of the cluster, also those of partitions that are left out."""

    partitions: tuple[PartitionUse, ...]
    nodes: tuple[Node, ...]

    @property
    def load(self) -> float:
        """The mean over all nodes of what is allocated of them, by CPUs or memory."""
        return _mean(
            load_of(node.allocated_cpus, node.cpus, node.allocated_memory_mib, node.memory_mib)
            for node in self.nodes
        )


def usage_of(
    partitions: Iterable[Partition],
    nodes: Sequence[Node],
    jobs: Iterable[LiveJob],
    details: Details,
    hidden: Collection[str] = (),
) -> Usage:
    """Put together four readings, which need not be of the same moment."""
    shown = [partition for partition in partitions if partition.name not in hidden]
    names = {partition.name for partition in shown}
    listed = [node for node in nodes if not names.isdisjoint(node.partitions)]
    held = _held(jobs, details)
    rows = (
        PartitionUse(
            partition,
            {
                node.name: NodeUse(node, held.get((partition.name, node.name), Held()))
                if partition.name in node.partitions
                else None
                for node in listed
            },
        )
        for partition in shown
    )
    return Usage(tuple(rows), tuple(nodes))


def load_of(cpus: int, all_cpus: int, memory: int, all_memory: int) -> float:
    """Return the fuller of the two as a part of 1; of what a node has none it is not full."""
    return max(
        cpus / all_cpus if all_cpus else 0.0,
        memory / all_memory if all_memory else 0.0,
    )


def _held(jobs: Iterable[LiveJob], details: Details) -> Mapping[tuple[str, str], Held]:
    found: dict[tuple[str, str], Held] = defaultdict(Held)
    for job in jobs:
        if job.hosts and job.state.phase in _HOLDING:
            for host, cpus, memory in _on_hosts(job, details.get(job.run)):
                at = (job.partition, host)
                found[at] = found[at].and_of(cpus, memory)
    return found


def _on_hosts(job: LiveJob, details: JobDetails | None) -> Iterator[tuple[str, int, int]]:
    """Yield host, CPUs and memory. What is not certain of a job on several nodes counts as 0."""
    shares = details.shares if details else None
    try:
        if shares is not None:
            for share in shares:
                for host in expand_hosts(share.hosts):
                    yield host, share.cpus, share.memory_mib
            return
        hosts = expand_hosts(job.hosts)
    except InvalidName:
        return
    is_alone = len(hosts) == 1
    for host in hosts:
        yield host, job.cpus if is_alone else 0, job.tres.get(_MEMORY, 0) if is_alone else 0


def _mean(values: Iterable[float]) -> float:
    found = [*values]
    return sum(found) / len(found) if found else 0.0
