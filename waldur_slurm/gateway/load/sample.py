"""How full a cluster was at one moment, as it is kept. Pure.

The names are those that the clients of the second original's archive read.
"""

import msgspec

from waldur_slurm.gateway.load.usage import PartitionUse, Usage


class PartitionSample(msgspec.Struct, frozen=True):
    """`alloc_*` is what the partition's own jobs hold, `total_used_*` what all jobs hold there."""

    alloc_cpus: int
    alloc_mem: int
    total_mem: int
    total_cpus: int
    total_nodes: int
    total_used_cpus_on_active_nodes: int
    total_used_mem_on_active_nodes: int
    partition_load: float
    state: str


class Sample(msgspec.Struct, frozen=True):
    """`time` is in seconds since the epoch, memory in MiB, a load from 0 to 1."""

    time: int
    total_load: float
    total_cpus: int
    total_mem: int
    alloc_cpus: int
    alloc_mem: int
    partitions: dict[str, PartitionSample]

    def without(self, hidden: frozenset[str]) -> "Sample":
        """Leave these partitions out."""
        if hidden.isdisjoint(self.partitions):
            return self
        shown = {name: kept for name, kept in self.partitions.items() if name not in hidden}
        return msgspec.structs.replace(self, partitions=shown)


def sample_of(usage: Usage, time: int) -> Sample:
    return Sample(
        time=time,
        total_load=usage.load,
        total_cpus=sum(node.cpus for node in usage.nodes),
        total_mem=sum(node.memory_mib for node in usage.nodes),
        alloc_cpus=sum(node.allocated_cpus for node in usage.nodes),
        alloc_mem=sum(node.allocated_memory_mib for node in usage.nodes),
        partitions={use.partition.name: partition_sample(use) for use in usage.partitions},
    )


def partition_sample(use: PartitionUse) -> PartitionSample:
    own = use.own
    return PartitionSample(
        alloc_cpus=sum(each.held.cpus for each in own),
        alloc_mem=sum(each.held.memory_mib for each in own),
        total_mem=sum(each.node.memory_mib for each in own),
        total_cpus=use.partition.cpus,
        total_nodes=use.partition.node_count,
        total_used_cpus_on_active_nodes=sum(each.node.allocated_cpus for each in own),
        total_used_mem_on_active_nodes=sum(each.node.allocated_memory_mib for each in own),
        partition_load=use.load,
        state=use.partition.state,
    )
