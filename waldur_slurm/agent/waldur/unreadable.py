"""What one reading cannot make sense of, thing by thing: one bad row holds up itself alone.

Only where most of a list is bad the answer is, and the reading fails as a whole.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import OrderUuid, RowKind, Unreadable

T = TypeVar("T")

_MANY = 10
"""From so many rows on, half of them says that it is the answer."""


class Unreadables:
    """Remembers the latest of each kind; `tell` hears of each when it is new."""

    def __init__(self, tell: Callable[[Unreadable], None]) -> None:
        self._tell = tell
        self._known: dict[RowKind, frozenset[Unreadable]] = {}

    def all(self) -> tuple[Unreadable, ...]:
        return tuple(sorted(each for found in self._known.values() for each in found))

    def sorted_out(self, kind: RowKind, rows: Iterable[T | Unreadable]) -> tuple[T, ...]:
        """Keep what can be read, remember what cannot; raise where that is most of it."""
        sound: list[T] = []
        bad: list[Unreadable] = []
        for row in rows:
            if isinstance(row, Unreadable):
                bad.append(row)
            else:
                sound.append(row)
        if len(bad) + len(sound) >= _MANY and len(bad) >= len(sound):
            raise UnexpectedPayload(bad[0].error)
        self.remember(kind, bad)
        return tuple(sound)

    def remember(self, kind: RowKind, bad: Iterable[Unreadable]) -> None:
        found = frozenset(bad)
        for each in sorted(found - self._known.get(kind, frozenset())):
            self._tell(each)
        self._known[kind] = found


class UnreadableOrders:
    """Remembers the latest; `tell` hears of each when it, or what is wrong with it, is new."""

    def __init__(self, tell: Callable[[OrderUuid, str], None]) -> None:
        self._tell = tell
        self._known: frozenset[tuple[OrderUuid, str]] = frozenset()

    def remember(self, bad: Mapping[OrderUuid, str]) -> None:
        for order, error in sorted(bad.items()):
            if (order, error) not in self._known:
                self._tell(order, error)
        self._known = frozenset(bad.items())
