"""The daemon: cycles at their pace until somebody asks it to stop.

A cycle that fails never ends the daemon; it is told, and tried again after a growing pause.
"""

import gc
import random
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from waldur_slurm.agent.daemon.pace import Pace
from waldur_slurm.errors import ExpectedError, SettingsError
from waldur_slurm.model.counting import counted
from waldur_slurm.service.notify import Notifier
from waldur_slurm.service.signals import Signals, Stopped
from waldur_slurm.telemetry.events import Event, Level, Sink


def now_utc() -> datetime:
    return datetime.now(UTC)


class Daemon:
    """Runs `run_cycle` for ever; `reload` reads again what may change while it runs."""

    def __init__(
        self,
        *,
        run_cycle: Callable[[], object],
        reload: Callable[[], None],
        pace: Pace,
        signals: Signals,
        notifier: Notifier,
        tell: Sink,
        now: Callable[[], datetime] = now_utc,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._run_cycle = run_cycle
        self._reload = reload
        self._pace = pace
        self._signals = signals
        self._notifier = notifier
        self._tell = tell
        self._now = now
        self._dice = dice
        self._failures = 0

    def run(self) -> None:
        self._notifier.ready()
        _collect_between_cycles()
        while not self._signals.is_stopping:
            began = time.monotonic()
            self._attempt()
            gc.collect()
            took = timedelta(seconds=time.monotonic() - began)
            self._wait(self._pace.pause_after(took, self._failures, self._dice()))
        self._notifier.stopping()

    def _attempt(self) -> None:
        self._notifier.alive()
        self._notifier.status("a cycle is running")
        try:
            self._run_cycle()
        except Stopped:
            return
        except ExpectedError as error:
            self._note_failure("cycle.failed", error)
        except Exception as error:  # noqa: BLE001 - a defect in one cycle must not end the service
            self._note_failure("cycle.crashed", error, traceback=traceback.format_exc())
        else:
            self._note_success()

    def _note_success(self) -> None:
        if self._failures:
            self._tell(Event(name="cycle.recovered", fields={"after_failures": self._failures}))
        self._failures = 0
        self._notifier.status(f"last cycle ended well at {self._now():%Y-%m-%d %H:%M:%S} UTC")

    def _note_failure(self, name: str, error: Exception, **more: str) -> None:
        self._failures += 1
        is_transient = isinstance(error, ExpectedError) and error.transient
        fields = {"error": str(error), "in_a_row": self._failures, **more}
        level = Level.WARNING if is_transient else Level.ERROR
        self._tell(Event(name=name, level=level, fields=fields))
        self._notifier.status(f"failed {counted(self._failures, 'time')} in a row: {error}")

    def _wait(self, pause: timedelta) -> None:
        """Wait, but not beyond a month's last call; the wall clock may be stepped meanwhile."""
        deadline = time.monotonic() + pause.total_seconds()
        last_call = self._pace.last_call(self._now())
        while not self._signals.is_stopping:
            left = timedelta(seconds=deadline - time.monotonic())
            if last_call is not None:
                left = min(left, last_call - self._now())
            if left <= timedelta(0):
                return
            self._signals.wait(min(left, self._notifier.longest_sleep))
            self._notifier.alive()
            if self._signals.take_reload():
                self._read_again()
            if self._signals.take_cycle():
                return

    def _read_again(self) -> None:
        self._notifier.reloading()
        try:
            self._reload()
        except SettingsError as error:
            fields = {"mistakes": error.mistakes, "kept": "what was read before"}
            self._tell(Event(name="reload.refused", level=Level.ERROR, fields=fields))
        else:
            self._tell(Event(name="reload.done"))
        self._notifier.ready()


def _collect_between_cycles() -> None:
    """Full collections come after each cycle, or a large site's whole world waits beside the next.

    Within a cycle they find nothing and cost a seventh of its processor time; what there is by now
    stays, and need not be looked through.
    """
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000)
