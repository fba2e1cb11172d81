"""`/usage`: the matrix of partitions and nodes under the names that the front end reads. Pure."""

from collections.abc import Mapping

from waldur_slurm.gateway.load.sample import partition_sample, sample_of
from waldur_slurm.gateway.load.usage import NodeUse, PartitionUse, Usage


def usage_view(usage: Usage) -> Mapping[str, object]:
    whole = sample_of(usage, 0)
    return {
        "partitions": {use.partition.name: _row(use) for use in usage.partitions},
        "total_load": whole.total_load,
        "alloc_cpus": whole.alloc_cpus,
        "alloc_mem": whole.alloc_mem,
        "total_cpus": whole.total_cpus,
        "total_mem": whole.total_mem,
    }


def _row(use: PartitionUse) -> Mapping[str, object]:
    sums = partition_sample(use)
    return {
        "total_nodes": sums.total_nodes,
        "nodes": {name: _cell(cell) for name, cell in use.nodes.items()},
        "state": sums.state,
        "total_cpus": sums.total_cpus,
        "priority": use.partition.priority_tier,
        "real_mem": sums.total_mem,
        "total_used_cpus_on_active_nodes": sums.total_used_cpus_on_active_nodes,
        "total_used_mem_on_active_nodes": sums.total_used_mem_on_active_nodes,
        "partition_load": sums.partition_load,
        "alloc_cpus": sums.alloc_cpus,
        "alloc_mem": sums.alloc_mem,
    }


def _cell(use: NodeUse | None) -> Mapping[str, object]:
    """`total_used_*` is by jobs of all partitions, `*_allocated` by those of this one."""
    if use is None:
        return {"active": False}
    return {
        "active": True,
        "total_used_cpus": use.node.allocated_cpus,
        "total_used_mem": use.node.allocated_memory_mib,
        "total_cpus": use.node.cpus,
        "total_memory": use.node.memory_mib,
        "cpus_allocated": use.held.cpus,
        "mem_allocated": use.held.memory_mib,
        "running_jobs": use.held.jobs,
    }
