"""Tasks in memory, held to the database's by `tests/unit/gateway/store`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from tests.fakes.monitors import FakeMonitors
from waldur_slurm.errors import StateError
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.tasks.port import Sought, Watched
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.gateway.watch.port import Wanted


@dataclass
class FakeTasks:
    """`monitors` is where their monitors are."""

    monitors: FakeMonitors = field(default_factory=FakeMonitors)
    kept: dict[str, tuple[int, KeptTask]] = field(default_factory=dict)
    is_broken: bool = False
    _lock: Lock = field(default_factory=Lock)
    _number: int = 0

    def reserve(self, task: KeptTask, monitor: Monitor) -> KeptTask | Watched | None:
        self._reach()
        with self._lock:
            found = self.find(task.owner, task.uuid)
            if found:
                return found
            if not self.monitors.add(monitor):
                wanted = Wanted(owner=task.owner, uuid=task.uuid)
                ((_, other),) = self.monitors.search(wanted, 1)
                return Watched(other.job)
            self._number += 1
            self.kept[task.id] = (self._number, task)
            return None

    def close(self, task: KeptTask, placed: Placed) -> None:
        self._reach()
        number, found = next((each for each in self._there() if each[1].id == task.id), (0, None))
        if found and (found.placed is None or found.placed.job_id == placed.job_id):
            self.kept[task.id] = (number, replace(found, placed=placed))
            monitor = self.monitors.kept[task.monitor]
            self.monitors.kept[task.monitor] = replace(
                monitor, job=placed.job_id, submitted=placed.submitted
            )

    def free(self, task: KeptTask) -> None:
        self._reach()
        found = self.kept.get(task.id)
        if found and found[1].placed is None:
            del self.kept[task.id]
            self.monitors.drop(task.monitor)

    def unsettled(self) -> Sequence[KeptTask]:
        self._reach()
        return tuple(task for _, task in self._there() if task.placed is None)

    def find(self, owner: str, uuid: str) -> KeptTask | None:
        self._reach()
        return next((task for _, task in self._there() if _name(task) == (owner, uuid)), None)

    def search(self, sought: Sought, limit: int) -> Sequence[tuple[int, KeptTask]]:
        self._reach()
        found = [(number, task) for number, task in self._there() if _is_sought(task, sought)]
        before = sought.before
        return tuple(each for each in found[::-1] if before is None or each[0] < before)[:limit]

    def _there(self) -> Sequence[tuple[int, KeptTask]]:
        """Whatever has lost its monitor is gone with it."""
        return [each for each in self.kept.values() if each[1].monitor in self.monitors.kept]

    def _reach(self) -> None:
        if self.is_broken:
            raise StateError("the disk is full")


def _name(task: KeptTask) -> tuple[str, str]:
    return task.owner, task.uuid


def _is_sought(task: KeptTask, sought: Sought) -> bool:
    is_his = task.owner == sought.owner or sought.users is None or task.user in sought.users
    is_there = sought.cluster in (None, task.cluster)
    return is_his and is_there and sought.uuid in (None, task.uuid)
