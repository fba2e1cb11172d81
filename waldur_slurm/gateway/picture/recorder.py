"""Keeps what changed from picture to picture, and wakes those who follow.

It hears of each new picture where it was read. What cannot be written is told and left out, with a
gap in its place as soon as writing goes again: whoever follows reads the list anew.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Lock

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.picture.changes import changes
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.gateway.picture.transitions import (
    Kind,
    Numbered,
    Transition,
    Transitions,
    transitions,
)
from waldur_slurm.telemetry.events import Event, Level, Sink

KEPT = timedelta(days=2)
IN_MEMORY = 10_000
"""The latest ones, which those who follow are told without asking the store."""

_TIDIED = timedelta(hours=1)


class Recorder:
    """One gateway's log of transitions, of all clusters."""

    def __init__(self, kept: Transitions, tell: Sink) -> None:
        self._kept = kept
        self._tell = tell
        self._lock = Lock()
        self._recent: deque[Numbered] = deque(maxlen=IN_MEMORY)
        self._listeners: set[Callable[[], None]] = set()
        self._tidied: datetime | None = None
        self._is_gap_due: set[str] = set()

    def record(
        self, cluster: str, before: Picture[JobsNow] | None, after: Picture[JobsNow]
    ) -> None:
        """Hear of a new picture; the first of this process may be of long after the last one."""
        changed = changes(before.value if before else None, after.value)
        found = [*transitions(changed, cluster, after.as_of)]
        if before is None or cluster in self._is_gap_due:
            found.insert(0, Transition(at=after.as_of, cluster=cluster, kind=Kind.GAP))
        if not found:
            return
        try:
            numbered = self._kept.add(found)
            self._tidy(after.as_of)
        except StateError as error:
            self._is_gap_due.add(cluster)
            fields = {"error": str(error), "lost": len(found)}
            self._tell(Event(name="transitions.lost", level=Level.ERROR, fields=fields))
            return
        self._is_gap_due.discard(cluster)
        with self._lock:
            self._recent.extend(numbered)
        self.wake()

    def wake(self) -> None:
        """Let all who listen look again."""
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def after(self, number: int, limit: int) -> tuple[Numbered, ...]:
        """Return what followed; from the store only where memory does not reach back so far."""
        with self._lock:
            recent = self._recent
            reaches_back = bool(recent) and recent[0].number <= number + 1
            found = (each for each in recent if each.number > number)
            in_memory = tuple(islice(found, limit)) if reaches_back else ()
        return in_memory if reaches_back else self._kept.after(number, limit)

    def bounds(self) -> tuple[int, int]:
        return self._kept.bounds()

    @property
    def newest(self) -> int:
        """The number of the last one of this process; 0 before there is one."""
        with self._lock:
            return self._recent[-1].number if self._recent else 0

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, from any thread, whenever there is more; returns what ends it."""
        with self._lock:
            self._listeners.add(listener)

        def stop() -> None:
            with self._lock:
                self._listeners.discard(listener)

        return stop

    def _tidy(self, now: datetime) -> None:
        if self._tidied is None or now - self._tidied > _TIDIED:
            self._tidied = now
            self._kept.forget(datetime.now(UTC) - KEPT)
