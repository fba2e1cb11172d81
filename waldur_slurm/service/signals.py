"""Signals as facts that are looked at between two steps; a handler only takes note.

TERM and INT: stop. HUP: read the files again. USR1: begin a cycle now. Whoever types Ctrl-C twice
does not want to wait for the step under way.
"""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from threading import Lock
from types import FrameType

Unbroken = Callable[[], AbstractContextManager[object]]
"""Makes what is done inside it one piece; see `Signals.unbroken`."""


class Stopped(BaseException):
    """Somebody asked the process to stop: everything unwinds, as if it had been killed here.

    Not an `Exception`, so that nothing that mends one unit of work goes on with the next.
    """


class Signals:
    """What was asked of the process so far; `wait` returns as soon as something new is."""

    def __init__(self, wakeups: int) -> None:
        self.is_stopping = False
        self._unbroken = 0
        self._counting = Lock()
        self._is_reload_wanted = False
        self._is_cycle_wanted = False
        self._wakeups = wakeups

    def stop_if_asked(self) -> None:
        """Raise `Stopped`; called between two commands or requests, never within one."""
        if self.is_stopping and not self._unbroken:
            raise Stopped

    @contextmanager
    def unbroken(self) -> Iterator[None]:
        """Let the body come to its end: a change that is made, looked at and noted as one."""
        with self._counting:
            self._unbroken += 1
        try:
            yield
        finally:
            with self._counting:
                self._unbroken -= 1

    def wait(self, pause: timedelta) -> None:
        ready, _, _ = select.select([self._wakeups], [], [], max(pause.total_seconds(), 0.0))
        if ready:
            os.read(self._wakeups, 512)

    def take_reload(self) -> bool:
        wanted, self._is_reload_wanted = self._is_reload_wanted, False
        return wanted

    def take_cycle(self) -> bool:
        wanted, self._is_cycle_wanted = self._is_cycle_wanted, False
        return wanted

    def note(self, number: int, _frame: FrameType | None) -> None:
        match signal.Signals(number):
            case signal.SIGHUP:
                self._is_reload_wanted = True
            case signal.SIGUSR1:
                self._is_cycle_wanted = True
            case signal.SIGINT if self.is_stopping:
                raise KeyboardInterrupt
            case _:
                self.is_stopping = True


@contextmanager
def listening() -> Iterator[Signals]:
    """Note signals instead of dying of them; afterwards everything is as it was."""
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signals = Signals(read)
    heeded = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
    before = {number: signal.signal(number, signals.note) for number in heeded}
    old_fd = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(old_fd)
        for number, old in before.items():
            signal.signal(number, old)
        os.close(read)
        os.close(write)


@contextmanager
def ended_at_once() -> Iterator[None]:
    """Raise `Stopped` wherever one is when TERM comes: as a pod's first process one has to say so.

    For programs that may be killed at any moment, and wait for long.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
