"""What the native API says of jobs, for the server that writes it and the client that reads it."""

from collections.abc import Mapping
from datetime import datetime

import msgspec


class ArrayView(msgspec.Struct, frozen=True):
    """Which part of an array a row is: one task, or all those that still wait."""

    job_id: int
    task_id: int | None
    tasks_pending: str | None


class StateView(msgspec.Struct, frozen=True):
    """Slurm's own words; `raw` is all of them as Slurm has them, such as `CANCELLED by 1000`."""

    base: str
    flags: tuple[str, ...]
    raw: str
    reason: str


class ExitView(msgspec.Struct, frozen=True):
    code: int
    signal: int


class ResourcesView(msgspec.Struct, frozen=True):
    """What it holds, or asks for while it waits."""

    cpus: int
    mem_mb: int | None
    nodes: int
    gpus: int
    tres: Mapping[str, int]


class TimesView(msgspec.Struct, frozen=True):
    """`start` of a job that waits is when Slurm expects it to begin."""

    submit: datetime
    eligible: datetime | None
    start: datetime | None
    end: datetime | None
    limit_s: int | None
    elapsed_s: int
    wait_s: int | None


class EfficiencyView(msgspec.Struct, frozen=True):
    """Shares of what was held, 1 for all of it; null is not measured, or not known yet."""

    cpu: float | None
    memory: float | None
    gpu: float | None
    time: float | None
    cpu_seconds: float | None
    most_memory_bytes: int | None


class JobView(msgspec.Struct, frozen=True):
    """What is null is not known: the accounting keeps less than slurmctld."""

    job_id: str
    array: ArrayView | None
    het: int | None
    name: str
    user: str
    uid: int | None
    account: str
    partition: str
    qos: str
    state: StateView
    phase: str
    terminal: bool
    outcome: str | None
    exit: ExitView | None
    priority: int | None
    restarts: int
    resources: ResourcesView
    nodes: str
    times: TimesView
    work_dir: str
    stdout: str | None
    stderr: str | None
    command: str | None
    dependency: str | None
    mark: str | None
    """What it is found again by: a comment that is one word, or what the gateway put before it."""
    comment: str
    cluster: str
    efficiency: EfficiencyView | None = None
    """Of ended jobs, where it was asked for."""


class FactView(msgspec.Struct, frozen=True):
    """One thing of the cluster that tells why; what `used` and `limit` count, `says` says."""

    about: str
    name: str
    says: str
    limit: int | None
    used: int | None


class ReasonView(msgspec.Struct, frozen=True):
    """`word` is Slurm's own. `passes`: it can end without anybody doing anything."""

    word: str
    category: str
    whose: str | None
    """Of a limit: `account`, `qos`, `user`, `partition` or `array`."""
    says: str
    evidence: tuple[FactView, ...]
    """As far as the one who asks may see it."""
    advice: str
    passes: bool


class EstimateView(msgspec.Struct, frozen=True):
    """`kind`: `expected`, `not_before` or `unknown`; as old as `looked_at`."""

    kind: str
    start: datetime | None
    looked_at: datetime | None
    says: str


class ReasonAnswer(msgspec.Struct, frozen=True):
    """Of a job that does not wait both are null."""

    cluster: str
    as_of: datetime
    job_id: str
    phase: str
    reason: ReasonView | None
    estimate: EstimateView | None


class PlacedView(msgspec.Struct, frozen=True):
    """What Slurm has not told yet is null; the same request tells it later."""

    job_id: str
    submit_time: datetime | None
    cluster: str
    work_dir: str | None
    stdout: str | None
    stderr: str | None


class StartView(msgspec.Struct, frozen=True):
    """When and where a job would start, as Slurm's scheduler guesses."""

    starts: datetime
    processors: int
    nodes: str
    partition: str


class LookupAnswer(msgspec.Struct, frozen=True):
    """With a prefix nothing can be absent: only found, or not."""

    as_of: datetime
    jobs: tuple[JobView, ...]
    absent: tuple[str, ...]
    unknown: tuple[str, ...]
    said: str
    """Why something is unknown."""
    tried: tuple[str, ...] = ()
    """Of the unknown, where Slurm did answer: they were handed in, and Slurm does not show them."""


class FileView(msgspec.Struct, frozen=True):
    """`path` is relative to the job's folder, `href` where it is had.

    Of a name that is no UTF-8 `path` shows U+FFFD for what is not; `href` is always exact.
    """

    path: str
    size: int
    mtime: datetime
    href: str


class DigestView(msgspec.Struct, frozen=True):
    """Of the file as `etag` has it. `sha256` in hexadecimal, as `sha256sum` writes it."""

    size: int
    etag: str
    sha256: str
