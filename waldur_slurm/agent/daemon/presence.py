"""Providers see in Waldur that the agent is there: told after its first good cycle, then daily.

Asking Waldur with every cycle to note it at each resource would say the same at a thousand times
the cost.
"""

import time
from collections.abc import Callable
from datetime import timedelta

EVERY = timedelta(days=1)


class Presence:
    """`show` hears whether the agent has just been started."""

    def __init__(
        self, show: Callable[[bool], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._monotonic = monotonic
        self._shown_at: float | None = None

    def note_good_cycle(self) -> None:
        now, before = self._monotonic(), self._shown_at
        if before is None or now - before >= EVERY.total_seconds():
            self._show(before is None)
            self._shown_at = now
