"""From runs, read slice by slice into the past, to whole jobs in the order of submission. Pure.

A run belongs to the slice in which it ended, and one that has not ended to the newest. A job's
run before the last ended within `REQUEUED_WITHIN` before the last was submitted. So when a slice
has been read, every job that was first submitted so long after its start is known with all its
runs, and no job of an older slice can be newer: only what was submitted earlier is held back.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from waldur_slurm.model.past import REQUEUED_WITHIN, PastJob, PastRun
from waldur_slurm.model.period import Window

DAY = timedelta(days=1)
SHORTEST, LONGEST = timedelta(hours=1), 32 * DAY
FEW, MANY = 2_000, 20_000
_EVER = datetime.max.replace(tzinfo=UTC)


class Walk:
    """Takes slices from the newest to the oldest, and gives out jobs that are whole."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._at = window.end
        self._length = DAY
        self._held: dict[str, list[list[PastRun]]] = {}

    def next_slice(self) -> Window | None:
        """Return the slice to be read next; None when all of the window has been."""
        if self._at <= self._window.start:
            return None
        return Window(max(self._window.start, self._at - self._length), self._at)

    def take(self, taken: Window, runs: Iterable[PastRun]) -> Iterator[PastJob]:
        """Take all that a slice was answered, and yield the jobs that are whole by now."""
        count = 0
        for run in sorted(runs, key=_newest_first, reverse=True):
            count += 1
            if self._is_of(taken, run):
                self._add(run)
        self._at = taken.start
        self._adapt(count)
        yield from self._whole()

    def _is_of(self, taken: Window, run: PastRun) -> bool:
        is_newest = taken.end == self._window.end
        if run.end is None or run.end >= taken.end:
            return is_newest
        return taken.start <= run.end

    def _add(self, run: PastRun) -> None:
        jobs = self._held.setdefault(str(run.id), [])
        for later in jobs:
            if run.precedes(later[0]):
                later.insert(0, run)
                return
        jobs.append([run])

    def _adapt(self, count: int) -> None:
        if count < FEW:
            self._length = min(self._length * 2, LONGEST)
        elif count > MANY:
            self._length = max(self._length / 2, SHORTEST)

    def _whole(self) -> Iterator[PastJob]:
        is_last = self._at <= self._window.start
        found = [
            PastJob(tuple(runs))
            for jobs in self._held.values()
            for runs in jobs
            if is_last or runs[0].submitted >= self._at + REQUEUED_WITHIN
        ]
        for job in found:
            name = str(job.id)
            left = [runs for runs in self._held[name] if tuple(runs) != job.runs]
            if left:
                self._held[name] = left
            else:
                del self._held[name]
        yield from sorted(found, key=lambda job: job.position, reverse=True)


def _newest_first(run: PastRun) -> tuple[datetime, datetime]:
    return run.end or _EVER, run.submitted
