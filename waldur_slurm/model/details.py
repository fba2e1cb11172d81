"""What a job's own record tells beyond the queue: what was asked for it, and what it holds where.

Slurm prints it amidst the owner's words. Whoever writes what looks like a record changes what is
told of his own jobs at most.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from waldur_slurm.model.live import ExitCode, NodeShare


class MemoryOf(StrEnum):
    """What an amount of memory is asked for."""

    NODE = "node"
    CPU = "cpu"
    TRES = "tres"


class Layout(NamedTuple):
    """What machines must look like; None where anything will do."""

    boards_per_node: int | None
    sockets_per_board: int | None
    sockets_per_node: int | None
    cores_per_socket: int | None
    threads_per_core: int | None


class TasksPer(NamedTuple):
    """How many tasks may share what; None for no bound, 0 where nothing was said."""

    node: int | None
    board: int | None
    socket: int | None
    core: int | None


class TresAsked(NamedTuple):
    """Devices as they were asked for, in the words of the release."""

    cpus_per_tres: str
    memory_per_tres: str
    bind: str
    frequency: str
    per_job: str
    per_socket: str
    per_task: str


class Asked(NamedTuple):
    """What was asked for a job. Most jobs are like others in it, so that one value serves many."""

    is_batch: bool
    memory_mib: int
    memory_of: MemoryOf
    min_cpus: int
    """On each node, as `min_disk_mib` is."""
    min_disk_mib: int
    cpus_per_task: int | None
    max_cpus: int
    max_nodes: int
    """As `max_cpus`: 0 where there is no bound. Of a job that has begun it is not told."""
    layout: Layout
    tasks_per: TasksPer
    specialized_cores: int | None
    min_limit_s: int
    excluded_hosts: str
    is_contiguous: bool
    reboots: bool
    sharing: str
    """How it shares nodes with other jobs: `OK`, `YES`, `NO`, `USER` or `MCS`."""
    switches: int
    """How many of the network at most, 0 for any; waited for so long:"""
    switches_wait_s: int
    power: str | None
    """None where a release knows nothing of it."""
    network: str
    batch_features: str
    """What the node must have that the script itself runs on."""
    cluster_features: str
    burst_buffer: str
    requested: str | None
    """All of it in Slurm's words, `cpu=1,mem=10M,node=1`; None where a release does not tell."""
    tres: TresAsked


class Record(NamedTuple):
    """What a job's record says of it; times are None where Slurm has none."""

    asked: Asked
    components: str
    """The numbers of a heterogeneous job's, such as `2-3`."""
    at_once: int | None
    """How many tasks of its array may run at a time."""
    submit_host: str
    session: int
    """The number of the session on `submit_host` that it was handed in from."""
    stdin: str | None
    """A file; None of a job that is no batch job."""
    derived_exit: ExitCode
    """The worst of what its steps left."""
    accrued: datetime | None
    """Since when it gains priority by age."""
    suspended: datetime | None
    """When it was suspended last, or went on."""
    resized: datetime | None
    preempted: datetime | None


class JobDetails(NamedTuple):
    """Of one job; None is what is not certain. What holds nothing has no `shares`."""

    shares: tuple[NodeShare, ...] | None
    record: Record | None
