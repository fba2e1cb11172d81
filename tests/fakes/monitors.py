"""Monitors in memory, held to the database's by `tests/unit/gateway/store`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from tests.fakes.letters import FakeLetters
from waldur_slurm.errors import StateError
from waldur_slurm.gateway.post.letter import Letter
from waldur_slurm.gateway.watch.monitor import Monitor, Stage, Transition, UnreadableMonitor
from waldur_slurm.gateway.watch.port import Turn, Wanted


@dataclass
class FakeMonitors:
    """`outbox` is where letters are written to."""

    outbox: FakeLetters = field(default_factory=FakeLetters)
    kept: dict[str, Monitor] = field(default_factory=dict)
    told: dict[str, list[Transition]] = field(default_factory=dict)
    unreadable: list[UnreadableMonitor] = field(default_factory=list)
    is_broken: bool = False
    _lock: Lock = field(default_factory=Lock)

    def add(self, monitor: Monitor) -> bool:
        self._reach()
        with self._lock:
            if monitor.uuid and any(_task(each) == _task(monitor) for each in self.kept.values()):
                return False
            self.kept[monitor.id] = monitor
            self.told[monitor.id] = []
            return True

    def find(self, monitor_id: str) -> Monitor | None:
        self._reach()
        return self.kept.get(monitor_id)

    def search(self, wanted: Wanted, limit: int) -> Sequence[tuple[int, Monitor]]:
        self._reach()
        numbered = [*enumerate(self.kept.values(), 1)][::-1]
        return tuple(
            (number, each)
            for number, each in numbered
            if _is_wanted(each, wanted) and (wanted.before is None or number < wanted.before)
        )[:limit]

    def watching(self, cluster: str) -> Sequence[Monitor | UnreadableMonitor]:
        self._reach()
        watching = (each for each in self.kept.values() if each.stage is Stage.WATCHING)
        return (*(each for each in watching if each.cluster == cluster), *self.unreadable)

    def note(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        self._reach()
        with self._lock:
            return [turn for turn in turns if self._note(turn)]

    def _note(self, turn: Turn) -> bool:
        found, monitor = self.kept.get(turn.monitor.id), turn.monitor
        if found is None or found.stage is not Stage.WATCHING or found.job != monitor.job:
            return False
        self.kept[monitor.id] = monitor
        if turn.transition:
            self.told[monitor.id].append(turn.transition)
        for letter in turn.letters:
            self.outbox.add(letter)
        return True

    def transitions(self, monitor_id: str) -> Sequence[Transition]:
        self._reach()
        return tuple(self.told.get(monitor_id, ()))

    def letters(self, monitor_id: str) -> Sequence[Letter]:
        self._reach()
        found = [
            each
            for each in self.outbox.kept.values()
            if each.monitor == monitor_id or each.monitor.startswith(f"{monitor_id}/")
        ]
        return tuple(found[::-1])

    def drop(self, monitor_id: str) -> bool:
        self._reach()
        self.told.pop(monitor_id, None)
        return self.kept.pop(monitor_id, None) is not None

    def forget(self, before: datetime) -> None:
        self._reach()
        for each in [*self.kept.values()]:
            if each.stage is not Stage.WATCHING and (each.updated or each.made) < before:
                self.drop(each.id)

    def counts(self) -> Mapping[Stage, int]:
        self._reach()
        return Counter(each.stage for each in self.kept.values())

    def _reach(self) -> None:
        if self.is_broken:
            raise StateError("the disk is full")


def _task(monitor: Monitor) -> tuple[str, str]:
    return (monitor.owner, monitor.uuid)


def _is_wanted(monitor: Monitor, wanted: Wanted) -> bool:
    is_shown = (wanted.owner is None and wanted.users is None) or (
        monitor.owner == wanted.owner or monitor.user in (wanted.users or ())
    )
    pairs = (
        (wanted.stage, monitor.stage),
        (wanted.state, monitor.state),
        (wanted.cluster, monitor.cluster),
        (wanted.job, monitor.job),
        (wanted.uuid, monitor.uuid),
    )
    return is_shown and all(asked is None or asked == found for asked, found in pairs)
