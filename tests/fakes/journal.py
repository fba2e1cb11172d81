"""A journal of submits in memory, held to the database's by `tests/unit/gateway/store`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.model.batch import JobId


@dataclass
class FakeJournal:
    kept: dict[Key, Attempt] = field(default_factory=dict)
    is_broken: bool = False
    _lock: Lock = field(default_factory=Lock)

    def open(self, attempt: Attempt) -> Attempt | None:
        self._reach()
        with self._lock:
            found = self.kept.get(attempt.key) or next(
                (each for each in self.unsettled() if _mark_of(each) == _mark_of(attempt)), None
            )
            if found is None:
                self.kept[attempt.key] = attempt
            return found

    def find(self, key: Key) -> Attempt | None:
        self._reach()
        return self.kept.get(key)

    def reopen(self, key: Key, opened: datetime, doubt_until: datetime) -> None:
        self._reach()
        found = self.kept.get(key)
        if found and not found.placed:
            self.kept[key] = replace(found, opened=opened, doubt_until=doubt_until)

    def place(self, key: Key, placed: Placed) -> None:
        self._reach()
        found = self.kept.get(key)
        if found and (found.placed is None or found.placed.job_id == placed.job_id):
            self.kept[key] = replace(found, placed=placed)

    def free(self, key: Key) -> None:
        self._reach()
        found = self.kept.get(key)
        if found and not found.placed:
            del self.kept[key]

    def unsettled(self) -> Sequence[Attempt]:
        self._reach()
        found = [attempt for attempt in self.kept.values() if not attempt.placed]
        return tuple(sorted(found, key=_order))

    def known(self, attempt: Attempt) -> frozenset[JobId]:
        self._reach()
        return frozenset(
            each.placed.job_id
            for each in self.kept.values()
            if each.placed and each.key != attempt.key and _mark_of(each) == _mark_of(attempt)
        )

    def marked(self, cluster: str, marks: Collection[str]) -> Sequence[Attempt]:
        self._reach()
        found = [
            each for each in self.kept.values() if each.cluster == cluster and each.mark in marks
        ]
        return tuple(sorted(found, key=_order))

    def job_of(self, cluster: str, job: JobId, submitted: datetime) -> Placed | None:
        self._reach()
        placed = (each.placed for each in self.kept.values() if each.cluster == cluster)
        return next((p for p in placed if p and (p.job_id, p.submitted) == (job, submitted)), None)

    def forget(self, before: datetime) -> None:
        self._reach()
        self.kept = {
            key: each for key, each in self.kept.items() if each.opened >= before or not each.placed
        }

    def _reach(self) -> None:
        if self.is_broken:
            raise StateError("the disk is full")


def _order(attempt: Attempt) -> tuple[datetime, str, str]:
    return (attempt.opened, attempt.key.owner, attempt.key.text)


def _mark_of(attempt: Attempt) -> tuple[str, str, str]:
    return (attempt.cluster, attempt.user, attempt.mark)
