"""What the routes of monitors and letters are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.port import Letters
from waldur_slurm.gateway.watch.cycle import Watch
from waldur_slurm.gateway.watch.port import Monitors
from waldur_slurm.gateway.watch.signed import Replays


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Watching:
    """`watches` are by the clusters' names; `ways` says which letters can be sent at all."""

    monitors: Monitors
    letters: Letters
    gate: Gate
    ways: frozenset[Method]
    watches: Mapping[str, Watch] = field(default_factory=dict)
    hook_secret: str | None = None
    replays: Replays = field(default_factory=Replays)
    now: Callable[[], datetime] = now_utc
