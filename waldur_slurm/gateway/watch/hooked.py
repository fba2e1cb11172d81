"""Jobs that an epilog told of: each is looked at alone, again and again until it has ended. Pure.

The epilog runs before slurmctld says that the job ended, so one look is not enough.
"""

from dataclasses import dataclass
from math import inf

PAUSES_S = (0.0, 0.2, 0.3, 0.5, 0.5, 1.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""After which pauses a job is looked at; then it is left to the interval."""

AGAIN_S = 0.5
MOST = 200
"""How many are waited for; what is told beyond that is left to the interval."""

AT_ONCE = 8
"""How many are looked at alone; more come at once where a node goes, and one list shows them."""


@dataclass(frozen=True, slots=True)
class _Due:
    at: float
    tries: int = 0


class Hooked:
    """By the numbers of jobs; times are of one monotonic clock."""

    def __init__(self) -> None:
        self._due: dict[int, _Due] = {}

    def add(self, number: int, now: float) -> None:
        """Look at it now; at an array, of which many tasks may end, not more often than that."""
        known = self._due.get(number)
        if known:
            self._due[number] = _Due(min(known.at, now + AGAIN_S))
        elif len(self._due) < MOST:
            self._due[number] = _Due(now)

    def drop(self, number: int) -> None:
        self._due.pop(number, None)

    def clear(self) -> None:
        self._due.clear()

    @property
    def next_at(self) -> float:
        return min((each.at for each in self._due.values()), default=inf)

    def take(self, now: float) -> list[int]:
        """Return those that are due, each with a next time after a longer pause, if any."""
        due = [number for number, each in self._due.items() if each.at <= now]
        for number in due:
            tries = self._due[number].tries + 1
            if tries < len(PAUSES_S):
                self._due[number] = _Due(now + PAUSES_S[tries], tries)
            else:
                del self._due[number]
        return due
