"""What the native API says of lists and of a cluster, for the server and for the client."""

from datetime import datetime

import msgspec

from waldur_slurm.gateway.wire import JobView


class LimitsView(msgspec.Struct, frozen=True):
    """What one request may hold."""

    script_bytes: int
    variables_bytes: int
    lookup_marks: int
    cancelled_jobs: int


class ClusterView(msgspec.Struct, frozen=True):
    """`reachable`: whether slurmctld answered the last time. What it has not told yet is null."""

    name: str
    is_default: bool
    reachable: bool
    said: str
    jobs_as_of: datetime | None
    slurm: str | None
    min_job_age_s: int | None
    """How long slurmctld keeps a job that has ended; 0 is for ever."""
    stores_comments: bool | None
    """Whether the accounting keeps marks: else they are gone after that time."""
    limits: LimitsView
    hidden: tuple[str, ...] | None
    """What `PrivateData` hides of others from the gateway, as `jobs`; null until it is known."""


class ClustersAnswer(msgspec.Struct, frozen=True):
    """The default one first."""

    clusters: tuple[ClusterView, ...]


class JobsAnswer(msgspec.Struct, frozen=True):
    """`unreadable` counts jobs that are there, and whose rows are not understood."""

    cluster: str
    as_of: datetime
    total: int
    unreadable: int
    next: str | None
    jobs: tuple[JobView, ...]


class HistoryAnswer(msgspec.Struct, frozen=True):
    """The last submitted first. `unreadable` counts records that are not understood."""

    cluster: str
    since: datetime
    until: datetime
    unreadable: int
    next: str | None
    jobs: tuple[JobView, ...]


class WhyView(msgspec.Struct, frozen=True):
    """Why a node is out of service, by whom, and since when."""

    text: str
    by: str
    since: datetime | None


class NodeView(msgspec.Struct, frozen=True):
    name: str
    state: str
    flags: tuple[str, ...]
    cpus: int
    cpus_allocated: int
    load: float | None
    mem_mb: int
    mem_mb_allocated: int
    mem_mb_free: int | None
    gpus: int
    gpus_allocated: int
    gres: str
    features: tuple[str, ...]
    partitions: tuple[str, ...]
    version: str
    booted: datetime | None
    why: WhyView | None


class NodesAnswer(msgspec.Struct, frozen=True):
    cluster: str
    as_of: datetime
    nodes: tuple[NodeView, ...]


class CellView(msgspec.Struct, frozen=True):
    """What the partition's own jobs hold of one of its nodes."""

    node: str
    cpus: int
    mem_mb: int
    jobs: int
    load: float


class RowView(msgspec.Struct, frozen=True):
    """`cpus_held` is by its own jobs, `cpus_used` by all jobs on its nodes; memory likewise."""

    partition: str
    state: str
    load: float
    cpus: int
    cpus_held: int
    cpus_used: int
    mem_mb: int
    mem_mb_held: int
    mem_mb_used: int
    nodes: tuple[CellView, ...]


class UsageAnswer(msgspec.Struct, frozen=True):
    """Loads go from 0 to 1, by CPUs or memory, whichever is fuller."""

    cluster: str
    as_of: datetime
    load: float
    partitions: tuple[RowView, ...]


class MayView(msgspec.Struct, frozen=True):
    scope: str
    means: str
    allowed: bool
    why: str


class MeView(msgspec.Struct, frozen=True):
    kind: str
    name: str
    user: str | None
    run_as: str
    scopes: tuple[MayView, ...]


class JobTokenView(msgspec.Struct, frozen=True):
    """`token` is shown this once. `id` is what `slurm-gateway token revoke` takes."""

    token: str
    id: str
    job_id: int
    submit_time: datetime
    scopes: tuple[str, ...]
    expires: datetime
