"""Counts what the gateway tells of itself: answers by their status, and defects by where they were.

It is one of those who hear every event; threads tell some of them.
"""

from collections import Counter
from collections.abc import Mapping
from threading import Lock

from waldur_slurm.telemetry.events import Event

CRASHES = ("request.crashed", "picture.crashed", "load.crashed", "monitor.crashed")


class Tally:
    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: Counter[str] = Counter()
        self._crashes: Counter[str] = Counter(dict.fromkeys(CRASHES, 0))

    def __call__(self, event: Event) -> None:
        if event.name == "request.answered":
            with self._lock:
                self._answers[str(event.fields["status"])] += 1
        elif event.name in CRASHES:
            with self._lock:
                self._crashes[event.name] += 1

    @property
    def answers(self) -> Mapping[str, int]:
        with self._lock:
            return dict(self._answers)

    @property
    def crashes(self) -> Mapping[str, int]:
        """Each that there may be, from the beginning: what never was there does not increase."""
        with self._lock:
            return {name.partition(".")[0]: count for name, count in self._crashes.items()}
