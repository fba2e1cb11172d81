"""A log of transitions in memory, held to the database's by `tests/unit/gateway/store`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.picture.transitions import Numbered, Transition


@dataclass
class FakeTransitions:
    kept: list[Numbered] = field(default_factory=list)
    last: int = 0
    is_broken: bool = False

    def add(self, transitions: Sequence[Transition]) -> tuple[Numbered, ...]:
        if self.is_broken:
            raise StateError("the disk is full")
        added = tuple(
            Numbered(number, each) for number, each in enumerate(transitions, self.last + 1)
        )
        self.kept += added
        self.last += len(added)
        return added

    def after(self, number: int, limit: int) -> tuple[Numbered, ...]:
        return tuple(each for each in self.kept if each.number > number)[:limit]

    def bounds(self) -> tuple[int, int]:
        return (self.kept[0].number, self.kept[-1].number) if self.kept else (0, 0)

    def forget(self, before: datetime) -> None:
        self.kept = [
            each for each in self.kept if each.transition.at >= before or each.number == self.last
        ]
