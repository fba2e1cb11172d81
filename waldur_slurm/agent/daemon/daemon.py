"""The daemon: cycles at their pace until somebody asks it to stop, and looks between them.

A cycle that fails never ends the daemon; it is told, and tried again after a growing pause.
"""

import gc
import random
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from waldur_slurm.agent.daemon.looks import Looks
from waldur_slurm.agent.daemon.pace import Pace
from waldur_slurm.agent.report.look import Look
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
        looks: Looks | None = None,
        now: Callable[[], datetime] = now_utc,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._run_cycle = run_cycle
        self._reload = reload
        self._pace = pace
        self._signals = signals
        self._notifier = notifier
        self._tell = tell
        self._looks = looks
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
        self._notifier.status(f"last cycle ended well at {self._shown_now()}")

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
        if self._looks:
            self._looks.begin()
        while not self._signals.is_stopping:
            left = self._left(deadline, last_call)
            if left <= timedelta(0) or (self._until_look() <= timedelta(0) and self._look()):
                return
            pause = max(min(left, self._until_look(), self._notifier.longest_sleep), timedelta(0))
            self._signals.wait(pause)
            self._notifier.alive()
            if self._signals.take_reload():
                self._read_again()
            if self._signals.take_cycle():
                return

    def _left(self, deadline: float, last_call: datetime | None) -> timedelta:
        left = timedelta(seconds=deadline - time.monotonic())
        return left if last_call is None else min(left, last_call - self._now())

    def _until_look(self) -> timedelta:
        """Looks build on what a cycle has seen, so there is none after one that failed."""
        return self._looks.left if self._looks and not self._failures else timedelta.max

    def _look(self) -> bool:
        """Look at new orders; whether they take a cycle at once."""
        look = self._looks.take() if self._looks else Look()
        if look.report is not None:
            gc.collect()
            self._notifier.status(f"last new order was looked after at {self._shown_now()}")
        return look.is_cycle_wanted

    def _shown_now(self) -> str:
        return f"{self._now():%Y-%m-%d %H:%M:%S} UTC"

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
    """Collect garbage in full after each cycle only: else a large site is in memory twice.

    Within a cycle a full collection finds nothing and costs a seventh of its processor time; what
    exists by now stays, and need not be scanned.
    """
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 1_000)
