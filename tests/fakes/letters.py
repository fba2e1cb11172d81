"""An outbox in memory, held to the database's by `tests/unit/gateway/store`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.post.letter import Letter, Occasion, Sink, Stage
from waldur_slurm.gateway.post.plan import is_time
from waldur_slurm.gateway.post.port import Sought, Tally


@dataclass
class FakeLetters:
    kept: dict[str, Letter] = field(default_factory=dict)
    is_broken: bool = False
    is_full: bool = False
    """It can be read, and not written."""
    looks: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self, letter: Letter) -> bool:
        self._reach()
        with self._lock:
            if any(_key(each) == _key(letter) for each in self.kept.values()):
                return False
            self.kept[letter.message_id] = letter
            return True

    def heads(self, now: datetime) -> Sequence[Letter]:
        self._reach()
        self.looks += 1
        heads: dict[Sink, Letter] = {}
        with self._lock:
            for each in sorted(self.kept.values(), key=lambda one: (one.tries, one.next_try)):
                if _is_due(each, now):
                    heads.setdefault(each.sink, each)
            order = [*self.kept]
        return tuple(sorted(heads.values(), key=lambda each: order.index(each.message_id)))

    def claim(self, letter: Letter, now: datetime, until: datetime) -> bool:
        self._reach(is_write=True)
        with self._lock:
            found = self.kept.get(letter.message_id)
            if found is None or not _is_due(found, now):
                return False
            self.kept[letter.message_id] = replace(found, next_try=until)
            return True

    def note(self, letter: Letter) -> None:
        self._reach(is_write=True)
        with self._lock:
            found = self.kept.get(letter.message_id)
            if found and found.stage is Stage.WAITING:
                self.kept[letter.message_id] = letter

    def latest(self, limit: int) -> Sequence[Letter]:
        self._reach()
        return tuple(self.kept.values())[::-1][:limit]

    def search(self, sought: Sought, limit: int) -> Sequence[tuple[int, Letter]]:
        self._reach()
        numbered = [*enumerate(self.kept.values(), 1)][::-1]
        return tuple(
            (number, each)
            for number, each in numbered
            if _is_sought(each, sought) and (sought.before is None or number < sought.before)
        )[:limit]

    def try_again(self, letter: Letter, now: datetime) -> bool:
        self._reach(is_write=True)
        found = self.kept.get(letter.message_id)
        if found is None or found.stage is not Stage.DEAD:
            return False
        self.kept[letter.message_id] = replace(
            found, stage=Stage.WAITING, made=now, next_try=now, tries=0
        )
        return True

    def tally(self) -> Tally:
        self._reach()
        letters = self.kept.values()
        waiting = (each.made for each in letters if each.stage is Stage.WAITING)
        return Tally(Counter(each.stage for each in letters), min(waiting, default=None))

    def forget(self, before: datetime) -> None:
        self._reach()
        self.kept = {
            key: each
            for key, each in self.kept.items()
            if each.made >= before or each.stage is Stage.WAITING
        }

    def _reach(self, *, is_write: bool = False) -> None:
        if self.is_broken or (self.is_full and is_write):
            raise StateError("the disk is full")


def _is_sought(letter: Letter, sought: Sought) -> bool:
    user = letter.facts.user if letter.facts else None
    is_shown = (sought.owner is None and sought.users is None) or (
        letter.owner == sought.owner or user in (sought.users or ())
    )
    return (
        is_shown
        and sought.stage in (None, letter.stage)
        and sought.message_id in (None, letter.message_id)
    )


def _key(letter: Letter) -> tuple[str, Occasion, str]:
    return (letter.monitor, letter.event, letter.method)


def _is_due(letter: Letter, now: datetime) -> bool:
    return letter.stage is Stage.WAITING and is_time(letter.next_try, now)
