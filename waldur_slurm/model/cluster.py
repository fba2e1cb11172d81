"""A cluster as slurmctld knows it now: nodes, partitions, reservations, licences, QoS, itself.

What every release says has a field. `words` holds all of it as Slurm has it, under Slurm's own
names, for whoever needs more; of two words under one name, the first. Limits are None where there
is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from waldur_slurm.model.tres import Tres

Words = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NodeState:
    """A base word, such as IDLE or MIXED, and the flags beside it, such as DRAIN."""

    base: str
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "+".join((self.base, *self.flags))


@dataclass(frozen=True, slots=True)
class Why:
    """Why a node is out of service, who said so, and when."""

    text: str
    by: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    state: NodeState
    cpus: int
    allocated_cpus: int
    load: float | None
    memory_mib: int
    allocated_memory_mib: int
    free_memory_mib: int | None
    """As the node itself counts it, whoever uses the rest."""
    tres: Tres
    allocated_tres: Tres
    gres: str
    features: tuple[str, ...]
    active_features: tuple[str, ...]
    partitions: tuple[str, ...]
    version: str
    booted: datetime | None
    slurmd_started: datetime | None
    why: Why | None
    words: Words = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Partition:
    name: str
    state: str
    is_default: bool
    is_hidden: bool
    hosts: str
    node_count: int
    cpus: int
    max_time_s: int | None
    default_time_s: int | None
    max_nodes: int | None
    min_nodes: int
    priority_tier: int
    qos: str
    allowed_accounts: tuple[str, ...] | None
    """None: all but those denied."""
    denied_accounts: tuple[str, ...]
    allowed_qos: tuple[str, ...] | None
    denied_qos: tuple[str, ...]
    allowed_groups: tuple[str, ...] | None
    words: Words = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reservation:
    name: str
    state: str
    start: datetime
    end: datetime
    hosts: str
    node_count: int
    cores: int
    partition: str
    flags: tuple[str, ...]
    users: tuple[str, ...]
    accounts: tuple[str, ...]
    licenses: str
    words: Words = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class License:
    name: str
    total: int
    used: int
    free: int
    reserved: int
    is_remote: bool


@dataclass(frozen=True, slots=True)
class Qos:
    """What a quality of service allows. Amounts are as sacctmgr shows them: memory rounded."""

    name: str
    priority: int
    flags: tuple[str, ...]
    preempts: tuple[str, ...]
    max_wall_s: int | None
    group_jobs: int | None
    group_submitted_jobs: int | None
    jobs_per_user: int | None
    submitted_jobs_per_user: int | None
    jobs_per_account: int | None
    submitted_jobs_per_account: int | None
    group_tres: str
    group_tres_minutes: str
    tres_per_job: str
    tres_per_node: str
    tres_per_user: str
    tres_per_account: str
    description: str


@dataclass(frozen=True, slots=True)
class Rpc:
    """How often slurmctld was asked something, or by somebody, and what it took on average."""

    name: str
    number: int
    """Slurm's number of the message, or the uid."""
    count: int
    average_us: int
    total_us: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """How slurmctld is doing. Counters are under Slurm's own names, as sdiag prints them."""

    at: datetime
    since: datetime
    counters: Mapping[str, int]
    main_schedule: Mapping[str, int]
    backfill: Mapping[str, int]
    by_message: tuple[Rpc, ...]
    by_user: tuple[Rpc, ...]


@dataclass(frozen=True, slots=True)
class Controller:
    """One slurmctld, in its role: primary or a backup."""

    role: str
    host: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Versions:
    """Slurm's release where the commands run, and that of the slurmctld which answers them."""

    tools: str
    slurmctld: str
