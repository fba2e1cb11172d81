"""One cluster's turns, one after the other on a thread of their own: a slow cluster delays itself.

A turn begins when something changed, a moment later so that many changes are one, or at the tick.
"""

import time
import traceback
from collections.abc import Callable
from threading import Event as Bell
from threading import Thread

from waldur_slurm.operator.jobs.cycle import Turned
from waldur_slurm.telemetry.events import Event, Level, Sink

DEBOUNCE_S = 0.1
LEAVES_IN_S = 5.0


class Turning:
    """`close` is called at the end, on the thread that the turns were on."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], Turned],
        close: Callable[[], None],
        tell: Sink,
        tick_s: float,
    ) -> None:
        self._name = name
        self._turn = turn
        self._close = close
        self._tell = tell
        self._tick_s = tick_s
        self._bell = Bell()
        self._leaving = Bell()
        self._thread = Thread(target=self._run, name=f"cluster {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._bell.set()

    @property
    def is_leaving(self) -> bool:
        return self._leaving.is_set()

    def leave(self) -> None:
        """Ask it to return after the step that is under way."""
        self._leaving.set()
        self._bell.set()

    def join(self) -> None:
        self._thread.join(LEAVES_IN_S)

    def _run(self) -> None:
        try:
            while not self.is_leaving:
                self._bell.clear()
                if self._take_turn():
                    continue
                if self._bell.wait(self._tick_s):
                    self._leaving.wait(DEBOUNCE_S)
        finally:
            self._close()

    def _take_turn(self) -> bool:
        """Return whether there is more to do at once."""
        begun = time.monotonic()
        try:
            is_more = self._turn().is_more
            self._note_end("ok", begun)
        except Exception:  # noqa: BLE001 - a defect in one turn must not end the cluster's turns
            fields = {"cluster": self._name, "traceback": traceback.format_exc()}
            self._tell(Event(name="cluster.crashed", level=Level.ERROR, fields=fields))
            self._note_end("crashed", begun)
            return False
        return is_more

    def _note_end(self, outcome: str, begun: float) -> None:
        seconds = time.monotonic() - begun
        fields = {"cluster": self._name, "outcome": outcome, "seconds": seconds}
        self._tell(Event(name="turn.ended", level=Level.DEBUG, fields=fields))
