"""Answers that are too small to be believed at once, and how long they have lasted.

A doubt that lasts three readings over half an hour is taken for the truth. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.world.absence import doubt_of
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.model.period import moment_of

BELIEVED_AFTER = timedelta(minutes=30)
BELIEVED_READINGS = 3
GREATEST_CLOCK_DIFFERENCE = timedelta(minutes=5)
_FEW = 4
"""Below so many, half of them is no sign of anything."""


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


def find_doubts(desired: Desired) -> Iterable[Doubt]:
    """Compare what Waldur tells with what the agent's accounts in Slurm still show."""
    listed = {resource.uuid.replace("-", "") for resource in desired.world.waldur.resources}
    marked = [mark.uuid for _, mark in desired.ownership.own(MarkKind.RESOURCE)]
    lost = sum(uuid not in listed for uuid in marked)
    if marked and (lost == len(marked) or (lost >= _FEW and lost * 2 >= len(marked))):
        yield Doubt(
            "resources", f"Waldur lists {len(marked) - lost} of {len(marked)} allocations", lost
        )
    leavers = sum(len(k.turnover.leavers) for k in desired.kept if not k.resource.is_restricted)
    people = _people(desired)
    if leavers >= _FEW and leavers * 2 >= people:
        yield Doubt("people", f"{leavers} of {people} people would leave at once", leavers)
    for kept in desired.kept:
        left = kept.turnover.leavers
        is_emptied = kept.people == () and not kept.resource.is_restricted
        if left and is_emptied:
            reason = f"the team of {kept.account} is suddenly empty"
            yield Doubt(f"team/{kept.resource.uuid}", reason, len(left), kept.account)
    if desired.world.clock_difference > GREATEST_CLOCK_DIFFERENCE:
        yield Doubt("clock", "Waldur's clock and ours tell different times", 1)
    for resource in desired.absent:
        reason = f"Slurm does not list {resource.backend_id}"
        yield Doubt(doubt_of(resource), reason, 1, resource.backend_id)


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
    """Doubts that this reading, should it be the same again, makes credible, up to which size."""
    return {
        key: readings.size
        for key, readings in known.items()
        if readings.count + 1 >= BELIEVED_READINGS and now - readings.first >= BELIEVED_AFTER
    }


def _people(desired: Desired) -> int:
    return sum(len(kept.found.users) for kept in desired.kept if kept.found)
