"""A cluster's machines and rules as the native API shows them. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from waldur_slurm.gateway.wire_cluster import NodeView, WhyView
from waldur_slurm.model.cluster import (
    License,
    Node,
    Partition,
    Qos,
    Reservation,
    Rpc,
    Statistics,
)

View = TypeVar("View", bound=msgspec.Struct)


class PartitionView(msgspec.Struct, frozen=True):
    """`max_time_s` null: without a limit. `allowed_accounts` null: all but the denied."""

    name: str
    state: str
    is_default: bool
    hosts: str
    nodes: int
    cpus: int
    max_time_s: int | None
    default_time_s: int | None
    min_nodes: int
    max_nodes: int | None
    priority_tier: int
    qos: str
    allowed_accounts: tuple[str, ...] | None
    denied_accounts: tuple[str, ...]
    allowed_qos: tuple[str, ...] | None
    denied_qos: tuple[str, ...]
    allowed_groups: tuple[str, ...] | None


class ReservationView(msgspec.Struct, frozen=True):
    name: str
    state: str
    start: datetime
    end: datetime
    hosts: str
    nodes: int
    cores: int
    partition: str
    flags: tuple[str, ...]
    users: tuple[str, ...]
    accounts: tuple[str, ...]
    licenses: str


class LicenseView(msgspec.Struct, frozen=True):
    name: str
    total: int
    used: int
    free: int
    reserved: int
    is_remote: bool


class QosView(msgspec.Struct, frozen=True):
    """Limits are null where there is none; TRES are as Slurm writes them."""

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


class RpcView(msgspec.Struct, frozen=True):
    name: str
    count: int
    average_us: int
    total_us: int


class StatisticsView(msgspec.Struct, frozen=True):
    """Counters are under Slurm's own names."""

    at: datetime
    since: datetime
    counters: Mapping[str, int]
    main_schedule: Mapping[str, int]
    backfill: Mapping[str, int]
    by_message: tuple[RpcView, ...]
    by_user: tuple[RpcView, ...]


def node_view(node: Node) -> NodeView:
    have = {str(name): amount for name, amount in node.tres.items()}
    given = {str(name): amount for name, amount in node.allocated_tres.items()}
    return NodeView(
        name=node.name,
        state=node.state.base,
        flags=node.state.flags,
        cpus=node.cpus,
        cpus_allocated=node.allocated_cpus,
        load=node.load,
        mem_mb=node.memory_mib,
        mem_mb_allocated=node.allocated_memory_mib,
        mem_mb_free=node.free_memory_mib,
        gpus=have.get("gres/gpu", 0),
        gpus_allocated=given.get("gres/gpu", 0),
        gres=node.gres,
        features=node.features,
        partitions=node.partitions,
        version=node.version,
        booted=node.booted,
        why=WhyView(node.why.text, node.why.by, node.why.since) if node.why else None,
    )


def partition_view(partition: Partition) -> PartitionView:
    return _alike(PartitionView, partition, nodes=partition.node_count)


def reservation_view(reservation: Reservation) -> ReservationView:
    return _alike(ReservationView, reservation, nodes=reservation.node_count)


def license_view(license: License) -> LicenseView:  # noqa: A002 - it is one
    return _alike(LicenseView, license)


def qos_view(qos: Qos) -> QosView:
    return _alike(QosView, qos)


def statistics_view(statistics: Statistics) -> StatisticsView:
    return _alike(
        StatisticsView,
        statistics,
        by_message=tuple(map(_rpc, statistics.by_message)),
        by_user=tuple(map(_rpc, statistics.by_user)),
    )


def _rpc(rpc: Rpc) -> RpcView:
    return RpcView(rpc.name, rpc.count, rpc.average_us, rpc.total_us)


def _alike(of: type[View], value: object, **others: object) -> View:
    """Show what is called the same here and there; `others` are what is not."""
    names = of.__struct_fields__
    return of(**{name: others.get(name, getattr(value, name, None)) for name in names})
