"""Finds out what became of tasks that a gateway left behind, or whose answer was lost.

One that has a job is told of it; one that made none is forgotten with its monitor: nobody was told
that there is one. Nothing is handed in here.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event as Bell
from threading import Thread

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.errors import Busy, OutcomeUnknown
from waldur_slurm.gateway.tasks.desk import Desk, utc_now
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.telemetry.events import Event, Level, Sink

SOON_S = 5.0
SELDOM_S = 600.0
YOUNG = timedelta(minutes=10)
"""A task that is older is settled now and then, if ever."""

_LEAVES_IN_S = 5.0


class Finisher:
    """`bell` is rung where there is something to find out."""

    def __init__(self, desk: Desk, bell: Bell, tell: Sink) -> None:
        self._desk = desk
        self._bell = bell
        self._tell = tell
        self._leaving = Bell()
        self._is_troubled = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Finish beside everything else, beginning at once."""
        thread = Thread(target=self._run, name="tasks", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._leaving.set()
            self._bell.set()
            thread.join(_LEAVES_IN_S)

    def finish_all(self) -> float:
        """Settle what can be; return when to look again."""
        left = [task for task in self._desk.tasks.unsettled() if not self._finish(task)]
        newest = max((task.made for task in left), default=None)
        if newest is None or utc_now() > newest + YOUNG:
            return SELDOM_S
        return SOON_S

    def _run(self) -> None:
        after_s = 0.0
        while not self._leaving.is_set():
            self._bell.wait(after_s)
            self._bell.clear()
            try:
                after_s = self.finish_all()
                self._is_troubled = False
            except ExpectedError as error:
                after_s = SOON_S
                self._tell_of_trouble(error)
            except Exception:  # noqa: BLE001 - a defect must not end it for good
                after_s = SELDOM_S
                fields = {"traceback": traceback.format_exc()}
                self._tell(Event(name="task.crashed", level=Level.ERROR, fields=fields))

    def _finish(self, task: KeptTask) -> bool:
        """Whether it is settled now; whoever has it in hand settles it himself."""
        if self._leaving.is_set():
            return False
        try:
            found = self._desk.settle(task)
        except (Busy, OutcomeUnknown):
            return False
        if found is None:
            self._note("task.freed", task)
        elif found.placed:
            self._note("task.found", task, job=str(found.placed.job_id))
        return True

    def _note(self, name: str, task: KeptTask, **more: object) -> None:
        fields = {
            "owner": task.owner,
            "task": task.uuid,
            "cluster": task.cluster,
            "user": task.user,
            **more,
        }
        self._tell(Event(name=name, fields=fields, is_change=True))

    def _tell_of_trouble(self, error: ExpectedError) -> None:
        """Say it once, until it goes well again."""
        if not self._is_troubled:
            self._is_troubled = True
            fields = {"error": str(error)}
            self._tell(Event(name="task.unsettled", level=Level.WARNING, fields=fields))
