"""Settles what is open: at the start, after an answer was lost, and when a client asks again."""

import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from threading import Event as Bell

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.beside import beside
from waldur_slurm.gateway.errors import Busy, NotNow, OutcomeUnknown
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.gateway.submits.plan import Absent, Adopt, StillUnknown
from waldur_slurm.gateway.submits.port import Journal
from waldur_slurm.gateway.submits.reading import Reader, utc_now
from waldur_slurm.gateway.submits.under_way import UnderWay
from waldur_slurm.telemetry.events import Event, Level, Sink

KEPT = timedelta(days=31)
"""How long a key stands for its job."""

SOON_S = 5.0
SELDOM_S = 600.0
YOUNG = timedelta(minutes=10)
"""An attempt that is older is settled now and then, if ever."""

_TIDIED = timedelta(hours=1)


class Settler:
    """`readers` are by the clusters' names."""

    def __init__(
        self,
        journal: Journal,
        readers: Mapping[str, Reader],
        under_way: UnderWay,
        tell: Sink,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._readers = readers
        self._under_way = under_way
        self._tell = tell
        self._now = now
        self._clock = clock
        self._may_come_until: dict[Key, float] = {}
        self._bell = Bell()
        self._leaving = Bell()
        self._told: set[Key] = set()
        self._is_troubled = False
        self._tidied: datetime | None = None

    def settle(self, attempt: Attempt) -> Placed | None:
        """Return its job, None where there is none for certain; else raises `OutcomeUnknown`.

        For who has its key alone. A job that is found is written down.
        """
        reader = self._readers.get(attempt.cluster)
        if reader is None:
            raise OutcomeUnknown(f"{attempt.cluster} is no longer a cluster of this gateway")
        known = self._journal.known(attempt)
        try:
            found = reader.settle(attempt, known)
        except ExpectedError as error:
            after_s = error.after_s if isinstance(error, NotNow) else SOON_S
            raise OutcomeUnknown(f"Slurm does not tell: {error}", after_s) from error
        match found:
            case Adopt(job):
                placed = job.placed(attempt.cluster)
                self._journal.place(attempt.key, placed)
                self._may_come_until.pop(attempt.key, None)
                self._note("submit.adopted", attempt, job=job.job_id)
                return placed
            case Absent():
                self._demand_passed(attempt.key)
                return None
            case StillUnknown(why, for_ever):
                self._tell_of_doubt(attempt, why, for_ever=for_ever)
                raise OutcomeUnknown(_words(why, for_ever=for_ever), self._after_s(attempt))

    def running(self) -> AbstractContextManager[None]:
        """Settle beside everything else, beginning at once."""
        return beside("settler", self._run, self._leave)

    def _leave(self) -> None:
        self._leaving.set()
        self._bell.set()

    def wake(self) -> None:
        """Let there be a look soon: an answer was lost."""
        self._bell.set()

    def await_until(self, key: Key, moment: float) -> None:
        """Look soon, and believe in no absence before a moment (monotonic): an answer was lost.

        The times of an attempt are the day's, and a clock that is set forward would end the wait.
        """
        self._may_come_until[key] = moment
        self.wake()

    def _demand_passed(self, key: Key) -> None:
        left = self._may_come_until.get(key, 0.0) - self._clock()
        if left > 0:
            why = _words("it may still be on its way to slurmctld", for_ever=False)
            raise OutcomeUnknown(why, left)
        self._may_come_until.pop(key, None)

    def settle_all(self) -> float | None:
        """Settle what can be; return when to look again, None where nothing is open."""
        self._tidy()
        attempts = self._journal.unsettled()
        for attempt in attempts:
            if not self._leaving.is_set():
                self._try(attempt)
        newest = max((attempt.doubt_until for attempt in attempts), default=None)
        if newest is None:
            return None
        return SOON_S if self._now() < newest + YOUNG else SELDOM_S

    def _run(self) -> None:
        after_s: float | None = 0.0
        while not self._leaving.is_set():
            self._bell.wait(SELDOM_S if after_s is None else after_s)
            self._bell.clear()
            try:
                after_s = self.settle_all()
                self._is_troubled = False
            except ExpectedError as error:
                after_s = SOON_S
                self._tell_of_trouble(error)
            except Exception:  # noqa: BLE001 - a defect must not end it for good
                after_s = SELDOM_S
                fields = {"traceback": traceback.format_exc()}
                self._tell(Event(name="submit.crashed", level=Level.ERROR, fields=fields))

    def _try(self, attempt: Attempt) -> None:
        """Whoever has its key at the moment settles it himself; it may be settled by now."""
        try:
            with self._under_way.alone(attempt.key):
                if attempt not in self._journal.unsettled():
                    return
                if self.settle(attempt) is None:
                    self._journal.free(attempt.key)
                    self._note("submit.freed", attempt)
        except (Busy, OutcomeUnknown):
            return

    def _note(self, name: str, attempt: Attempt, **more: object) -> None:
        """Write down how an act ended whose end nobody saw."""
        self._tell(Event(name=name, fields=_fields(attempt, **more), is_change=True))

    def _after_s(self, attempt: Attempt) -> float:
        return max((attempt.doubt_until - self._now()).total_seconds(), SOON_S)

    def _tell_of_doubt(self, attempt: Attempt, why: str, *, for_ever: bool) -> None:
        if for_ever and attempt.key not in self._told:
            self._told.add(attempt.key)
            fields = _fields(attempt, why=why)
            self._tell(Event(name="submit.unknown", level=Level.ERROR, fields=fields))

    def _tell_of_trouble(self, error: ExpectedError) -> None:
        """Say it once, until it goes well again."""
        if not self._is_troubled:
            self._is_troubled = True
            fields = {"error": str(error)}
            self._tell(Event(name="submit.unsettled", level=Level.WARNING, fields=fields))

    def _tidy(self) -> None:
        now = self._now()
        if self._tidied is None or now - self._tidied > _TIDIED:
            self._tidied = now
            self._journal.forget(now - KEPT)


def _words(why: str, *, for_ever: bool) -> str:
    advice = (
        "look whether the job is there; if it is not, hand it in with a new key and a new mark"
        if for_ever
        else "ask again with the same key"
    )
    return f"the job may have been handed in or not: {why}; {advice}"


def _fields(attempt: Attempt, **more: object) -> dict[str, object]:
    told = {key: str(value) for key, value in more.items()}
    return {
        "owner": attempt.key.owner,
        "key": attempt.key.text,
        "cluster": attempt.cluster,
        "user": attempt.user,
        "mark": attempt.mark,
        **told,
    }
