"""Answers that are too small to be believed at once, and how long each has lasted.

A doubt that lasts three readings over half an hour is taken for the truth. So is the absence of an
account that an order ends: that is for good, and only what the agent removed itself is gone at
once. Pure; which answers are doubtful is found by `guard.doubtful`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import moment_of

BELIEVED_AFTER = timedelta(minutes=30)
BELIEVED_READINGS = 3
WHEN_BELIEVED = f"believed after {BELIEVED_READINGS} readings over 30 minutes"


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer, of Waldur's or Slurm's, that is not believed at once."""

    key: str
    reason: str
    size: int
    """How much it is about; a doubt that grows is a new one."""
    account: str = ""
    """The one account whose people are in doubt; empty: all removals are."""


@dataclass(frozen=True, slots=True)
class Readings:
    """How often a doubt was met since when, counted up to what matters."""

    first: datetime
    count: int
    size: int

    def to_document(self) -> dict[str, Any]:
        return {"first": self.first.isoformat(), "count": self.count, "size": self.size}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        first = moment_of(document["first"])
        return cls(first, int(document["count"]), int(document.get("size", 0)))


def remember_doubts(
    doubts: Iterable[Doubt], known: Mapping[str, Readings], now: datetime
) -> dict[str, Readings]:
    """Count the readings of each doubt up to the last that matters; forget what has passed."""
    remembered: dict[str, Readings] = {}
    for doubt in doubts:
        before = known.get(doubt.key)
        if before is None or before.first > now or doubt.size > before.size:
            before = Readings(now, 0, doubt.size)
        count = min(before.count + 1, BELIEVED_READINGS)
        remembered[doubt.key] = Readings(before.first, count, doubt.size)
    return remembered


def believed_doubts(known: Mapping[str, Readings], now: datetime) -> dict[str, int]:
    """Doubts that are believed if this reading shows them again, each up to which size."""
    return {
        key: readings.size
        for key, readings in known.items()
        if readings.count + 1 >= BELIEVED_READINGS and now - readings.first >= BELIEVED_AFTER
    }


def doubt_of(resource: Resource) -> str:
    """The name under which the readings of its absence are counted."""
    return f"absent/{resource.uuid}"


def is_gone(world: World, resource: Resource) -> bool:
    """Whether it is certain that a resource whose account Slurm does not list has none."""
    return (
        not resource.backend_id
        or world.consent.allow_removals
        or world.ledger.page(AccountName(resource.backend_id)).is_removed
        or doubt_of(resource) in world.believed
    )
