"""Whether the daemon lives, and whether it works: judged from what it tells of itself.

A daemon that waits for a side that is down lives and does not work: starting it anew helps nobody.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from waldur_slurm.service.health import Condition
from waldur_slurm.telemetry.events import Event
from waldur_slurm.telemetry.lines import visible
from waldur_slurm.telemetry.redaction import Redaction

STUCK_AFTER = timedelta(minutes=15)
"""One Slurm command may take 5 minutes; each that ends is a sign of life."""

MISSED_CYCLES = 3
_GRACE = timedelta(minutes=1)
_LONGEST_WORDS = 300


class Health:
    """A sink that remembers how the last cycles ended."""

    def __init__(
        self,
        interval: timedelta,
        quiet_for: Callable[[], timedelta],
        redact: Redaction,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = MISSED_CYCLES * interval + _GRACE
        self._quiet_for = quiet_for
        self._redact = redact
        self._monotonic = monotonic
        self._began = monotonic()
        self._last_success: float | None = None
        self._trouble = ""

    def __call__(self, event: Event) -> None:
        match event:
            case Event(name="cycle.ended", fields={"outcome": "ok" | "partial"}):
                self._last_success = self._monotonic()
                self._trouble = ""
            case Event(name="cycle.failed" | "cycle.crashed", fields={"error": error}):
                words = visible(" ".join(self._redact(str(error)).split()))
                self._trouble = words[:_LONGEST_WORDS]
            case _:
                pass

    def life(self) -> Condition:
        """Whether the loop still turns, whether or not its cycles succeed."""
        quiet = self._quiet_for()
        if quiet <= STUCK_AFTER:
            return Condition(True, "alive")
        return Condition(False, f"no sign of life for {quiet.total_seconds():.0f} s")

    def work(self) -> Condition:
        """Whether a cycle has ended well within the time of a few, and if not, why."""
        now, last = self._monotonic(), self._last_success
        if last is None:
            return self._unwell(f"no cycle has ended well in the {now - self._began:.0f} s so far")
        ago = f"{now - last:.0f} s"
        if now - last <= self._patience.total_seconds():
            return Condition(True, f"the last good cycle ended {ago} ago")
        return self._unwell(f"the last good cycle ended {ago} ago")

    def _unwell(self, words: str) -> Condition:
        return Condition(False, f"{words}: {self._trouble}" if self._trouble else words)
