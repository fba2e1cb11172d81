"""Looks at new orders between two cycles: how often, and what becomes of one that fails.

A look that fails never ends the daemon and says nothing of the cycles: it is told once, and the
next ones come less often, until one of them works again.
"""

import time
import traceback
from collections.abc import Callable
from datetime import timedelta

from waldur_slurm.agent.report.look import Look
from waldur_slurm.errors import ExpectedError
from waldur_slurm.service.signals import Stopped
from waldur_slurm.telemetry.events import Event, Level, Sink

_MOST_DOUBLINGS = 6


class Looks:
    """`look` asks for orders and serves new ones; `longest` is as rare as looks may become."""

    def __init__(
        self,
        look: Callable[[], Look],
        *,
        interval: timedelta,
        longest: timedelta,
        tell: Sink,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._interval = interval
        self._longest = max(longest, interval)
        self._tell = tell
        self._monotonic = monotonic
        self._failures = 0
        self._due = monotonic()

    def begin(self) -> None:
        """A cycle has just seen all orders: nothing is due for a while."""
        pause = min(self._interval * 2 ** min(self._failures, _MOST_DOUBLINGS), self._longest)
        self._due = self._monotonic() + pause.total_seconds()

    @property
    def left(self) -> timedelta:
        return timedelta(seconds=self._due - self._monotonic())

    def take(self) -> Look:
        """Look once, and say when the next look is due."""
        try:
            look = self._look()
        except Stopped:
            return Look()
        except ExpectedError as error:
            level = Level.WARNING if error.transient else Level.ERROR
            look = self._note_failure("look.failed", level, error)
        except Exception as error:  # noqa: BLE001 - a defect in one look must not end the service
            shown = traceback.format_exc()
            look = self._note_failure("look.crashed", Level.ERROR, error, traceback=shown)
        else:
            self._note_success()
        self.begin()
        return look

    def _note_success(self) -> None:
        if self._failures:
            self._tell(Event(name="look.recovered", fields={"after_failures": self._failures}))
        self._failures = 0

    def _note_failure(self, name: str, level: Level, error: Exception, **more: str) -> Look:
        self._failures += 1
        if self._failures == 1:
            fields = {"error": str(error), **more}
            self._tell(Event(name=name, level=level, fields=fields))
        return Look()
