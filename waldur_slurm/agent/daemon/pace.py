"""When the next cycle begins. Pure: the clock and the dice are handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from waldur_slurm.model.period import Month

BEFORE_THE_EDGE = timedelta(minutes=10)

_JITTER = 0.05
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(minutes=5)
_SHORTEST_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """`interval` is from start to start; `billing_zone` is given where a month's end matters.

    `looks` is how often new orders are asked for between two cycles, where they are.
    """

    interval: timedelta
    billing_zone: ZoneInfo | None = None
    looks: timedelta | None = None

    def pause_after(self, took: timedelta, failures: int, dice: float) -> timedelta:
        """How long to wait after a cycle that took so long; `dice` is in [0, 1).

        Agents that started together drift apart, and one that failed so many times in a row asks
        less and less.
        """
        if failures:
            return self._retry_pause(failures) * (1 + _JITTER * dice)
        pause = self.interval * (1 + _JITTER * (2 * dice - 1)) - took
        return max(pause, min(_SHORTEST_PAUSE, self.interval))

    def last_call(self, now: datetime) -> datetime | None:
        """The moment after `now` that no wait may sleep through: shortly before a month closes."""
        if self.billing_zone is None:
            return None
        month = Month.containing(now + BEFORE_THE_EDGE, self.billing_zone)
        return month.window(self.billing_zone).end - BEFORE_THE_EDGE

    def _retry_pause(self, failures: int) -> timedelta:
        first = min(_FIRST_RETRY, self.interval)
        longest = max(_LONGEST_RETRY, self.interval)
        doublings: int = 1 << min(failures - 1, 20)
        return min(first * doublings, longest)
