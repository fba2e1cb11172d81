"""Watches the jobs of one cluster: looks at each new list, and sees to it that there is one.

Somebody else's new list is looked at as well, so that no two are asked for where one does. While
nothing is watched nothing is asked. One odd monitor is said, and stops no other.
"""

import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event as Bell
from threading import Lock

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.beside import beside
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.gateway.watch.hooked import AT_ONCE, Hooked
from waldur_slurm.gateway.watch.monitor import Monitor, Stage, UnreadableMonitor
from waldur_slurm.gateway.watch.news import News
from waldur_slurm.gateway.watch.plan import (
    SILENT,
    Listing,
    Memory,
    Rules,
    is_missing,
    overdue,
    turn,
)
from waldur_slurm.gateway.watch.port import Monitors, Turn
from waldur_slurm.gateway.watch.reading import Reader, Recalled
from waldur_slurm.telemetry.events import Sink

KEPT = timedelta(days=90)
"""How long a monitor that watches no more is there to be seen."""

LOOKS_AGAIN_S = 5.0
"""How soon Slurm, or the store, is asked again after it was silent."""

IDLE_S = 5.0
"""How often it is looked whether somebody watches by now, while nobody does."""

SPARED_S = 1.0
MOST_OF_ITS_TIME = 0.1
"""Of lists for epilogs' sake: the least pause before one, and their share of slurmctld's time."""

CLOCK_SET_S = 60.0
"""By how much more, or less, of the day than of real time has passed where its clock was set."""

_TIDIED = timedelta(hours=1)


def now_utc() -> datetime:
    return datetime.now(UTC)


class Watch:
    """`interval_s`: how old the list may be that jobs were looked at in last."""

    def __init__(
        self,
        cluster: str,
        monitors: Monitors,
        reader: Reader,
        tell: Sink,
        rules: Rules,
        interval_s: float,
        *,
        now: Callable[[], datetime] = now_utc,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._monitors = monitors
        self._reader = reader
        self._news = News(cluster, tell)
        self._rules = rules
        self._interval_s = interval_s
        self._now = now
        self._clock = clock
        self._lock = Lock()
        self._hooked = Hooked()
        self._bell = Bell()
        self._leaving = Bell()
        self._looked_at = 0.0
        self._wanted_at = 0.0
        self._recalled_at = -interval_s
        self._tidied: datetime | None = None
        self._lead: float | None = None
        self._clock_set: datetime | None = None

    def running(self) -> AbstractContextManager[None]:
        return beside(f"watch-{self._cluster}", self._run, self._leave)

    def _leave(self) -> None:
        self._leaving.set()
        self._bell.set()

    def wake(self) -> None:
        """Let it look whether there is anything new: a list, or a monitor."""
        self._bell.set()

    def hook(self, number: int) -> None:
        """Let it look at this job at once, if that is watched."""
        with self._lock:
            self._hooked.add(number, self._clock())
        self._bell.set()

    def _run(self) -> None:
        while not self._leaving.is_set():
            try:
                after_s = self.step()
                self._news.well()
            except ExpectedError as error:
                after_s = LOOKS_AGAIN_S
                self._news.unwritten(error)
            except Exception:  # noqa: BLE001 - a defect must not end it for good
                after_s = LOOKS_AGAIN_S
                self._news.crashed(traceback.format_exc())
            self._bell.wait(after_s)
            self._bell.clear()

    def step(self) -> float:
        """Look at what there is to look at; return when to do so next."""
        self._notice_clock()
        watching = self._watching()
        self._tidy()
        if not watching:
            with self._lock:
                self._hooked.clear()
            return min(IDLE_S, self._interval_s)
        self._look_at_hooked(watching)
        return self._look_at_list(watching)

    def _watching(self) -> list[Monitor]:
        found = self._monitors.watching(self._cluster)
        for odd in found:
            if isinstance(odd, UnreadableMonitor):
                self._news.odd(odd.id, odd.reason)
        return [each for each in found if isinstance(each, Monitor)]

    def _look_at_list(self, watching: Sequence[Monitor]) -> float:
        """Look at the newest list, whoever asked for it; where it is too old, at a new one."""
        now, last = self._clock(), self._reader.last
        due_at = self._looked_at + self._interval_s if self._looked_at else now
        wanted = max(self._looked_at, self._wanted_at)
        is_new = last is not None and last.began > wanted
        if not is_new and now < due_at and wanted == self._looked_at:
            return self._until(due_at)
        picture = last if is_new else self._fresh(wanted)
        if picture is None:
            self._note([each for one in watching if (each := self._overdue(one))])
            return min(self._until(now + LOOKS_AGAIN_S), self._interval_s)
        self._look(watching, picture)
        self._looked_at = picture.began
        return self._until(picture.began + self._interval_s)

    def _fresh(self, wanted: float) -> Picture[JobsNow] | None:
        """Ask for a list; one who was silent the last time is asked beside, and may answer now."""
        try:
            return self._reader.fresh(wanted)
        except ExpectedError:
            last = self._reader.last
            return last if last and last.began > wanted else None

    def _until(self, due_at: float) -> float:
        with self._lock:
            due_at = min(due_at, self._hooked.next_at)
        return max(due_at - self._clock(), 0.0)

    def _look(self, watching: Sequence[Monitor], picture: Picture[JobsNow]) -> None:
        listing = self._reader.listing(picture)
        missing = [each for each in watching if self._is_missing(each, listing)]
        recalled = self._recall(missing) if missing else Recalled(frozenset(), SILENT)
        later = {each.id for each in missing if each.job and each.job.number not in recalled.asked}
        looked = (each for each in watching if each.id not in later)
        self._judge(looked, listing, recalled.memory)

    def _recall(self, missing: Collection[Monitor]) -> Recalled:
        """Ask the accounting once an interval, however many lists there are meanwhile."""
        now = self._clock()
        if now - self._recalled_at < self._interval_s * 0.9:
            return Recalled(frozenset(), SILENT)
        self._recalled_at = now
        return self._reader.recall(missing)

    def _look_at_hooked(self, watching: Sequence[Monitor]) -> None:
        """Look at those alone that an epilog told of; of many at once the next list tells."""
        with self._lock:
            due = self._hooked.take(self._clock())
        numbers = {each.job.number for each in watching if each.job}
        for number in {*due} - numbers:
            self._forget_hook(number)
        wanted = [number for number in due if number in numbers]
        if len(wanted) > AT_ONCE:
            self._want_list()
            return
        for number in wanted:
            concerned = [each for each in watching if each.job and each.job.number == number]
            self._look_alone(number, concerned)

    def _want_list(self) -> None:
        now, last = self._clock(), self._reader.last
        rest_s = max(SPARED_S, last.took_s / MOST_OF_ITS_TIME if last else 0.0)
        if now - self._looked_at >= rest_s:
            self._wanted_at = now

    def _look_alone(self, number: int, concerned: Sequence[Monitor]) -> None:
        try:
            listing = self._reader.alone(number)
        except ExpectedError:
            return
        there = [each for each in concerned if not self._is_missing(each, listing)]
        written = self._judge(there, listing, SILENT)
        ended = {each.monitor.id for each in written if each.monitor.stage is not Stage.WATCHING}
        if ended >= {each.id for each in concerned}:
            self._forget_hook(number)

    def _forget_hook(self, number: int) -> None:
        with self._lock:
            self._hooked.drop(number)

    def _is_missing(self, monitor: Monitor, listing: Listing) -> bool:
        try:
            return is_missing(monitor, listing)
        except Exception:  # noqa: BLE001 - one odd monitor stops no other
            self._news.odd(monitor.id, traceback.format_exc())
            return False

    def _judge(
        self, looked: Iterator[Monitor] | Sequence[Monitor], listing: Listing, memory: Memory
    ) -> Sequence[Turn]:
        now = self._now()
        turns: list[Turn] = []
        for monitor in looked:
            try:
                found = turn(self._reckoned(monitor, now), listing, memory, self._rules, now)
            except Exception:  # noqa: BLE001 - one odd monitor stops no other
                self._news.odd(monitor.id, traceback.format_exc())
                continue
            if found:
                turns.append(found)
        return self._note(turns)

    def _notice_clock(self) -> None:
        """Notice where the time of day was set since the last look."""
        now = self._now()
        before, self._lead = self._lead, now.timestamp() - self._clock()
        if before is not None and abs(self._lead - before) > CLOCK_SET_S:
            self._clock_set = now

    def _reckoned(self, monitor: Monitor, now: datetime) -> Monitor:
        """Let a job be missing from now on where the clock was set since it is."""
        since, was_set = monitor.missing_since, self._clock_set
        if since is None or (since <= now and (was_set is None or since >= was_set)):
            return monitor
        return replace(monitor, missing_since=None)

    def _overdue(self, monitor: Monitor) -> Turn | None:
        return overdue(monitor, self._rules, self._now())

    def _note(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        """Write all in one; where one of them cannot be, the others by themselves."""
        if not turns:
            return ()
        try:
            written = self._monitors.note(turns)
        except ExpectedError:
            raise
        except Exception:  # noqa: BLE001 - one odd turn stops no other
            written = [each for one in turns for each in self._note_one(one)]
        self._news.written(written)
        return written

    def _note_one(self, one: Turn) -> Sequence[Turn]:
        try:
            return self._monitors.note([one])
        except ExpectedError:
            raise
        except Exception:  # noqa: BLE001 - said, and left as it is
            self._news.odd(one.monitor.id, traceback.format_exc())
            return ()

    def _tidy(self) -> None:
        now = self._now()
        if self._tidied is None or now - self._tidied > _TIDIED:
            self._tidied = now
            self._monitors.forget(now - KEPT)


@contextmanager
def watching(watches: Collection[Watch]) -> Iterator[None]:
    """Watch all clusters for as long as it lasts."""
    with ExitStack() as running:
        for each in watches:
            running.enter_context(each.running())
        yield
