"""Accept an empty answer of sacct only if a wider one, with records in it, agrees.

When the database gives up in the middle of a query (a time limit, a full disk, a swept directory),
slurmdbd only logs it, and sacct prints nothing and exits 0 (22.05.8). All is lost or nothing: an
answer with any record in it is whole, and proves what it does not contain.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.period import Window
from waldur_slurm.slurm.accounting.port import Accounting

Record = JobRecord | UnreadableRecord

ATTEMPTS = 3
"""How often a lost answer is asked for."""

FARTHEST = timedelta(days=64)
"""How far back a first record is looked for."""


class WitnessedRecords:
    """Reads windows of one measurement; where it has met records bears witness for the others."""

    def __init__(self, accounting: Accounting) -> None:
        self.accounting = accounting
        self._met: list[Window] = []
        self._unproven: list[Window] = []
        self._idle_since: datetime | None = None

    def read(self, window: Window) -> Iterator[Record]:
        """Yield the records of `window`; none only where there are none."""
        for _ in range(ATTEMPTS):
            records = self.accounting.read_job_records(window)
            first = next(records, None)
            if first is not None:
                self._met.append(window)
                yield from chain((first,), records)
                return
            if self._is_idle(window):
                return
        raise _lost(window)

    def settle(self) -> None:
        """Raise unless the windows that were empty before the first record was met are so still."""
        if self._met:
            for window in self._unproven:
                if not self._is_idle_beside(self._nearest(window), window):
                    raise _lost(window)
            self._unproven.clear()

    def _is_idle(self, window: Window) -> bool:
        if self._met:
            return self._is_idle_beside(self._nearest(window), window)
        for start in self._earlier_starts(window):
            wide = Window(start, window.end)
            reaching = [_reaches_into(each, window) for each in self._records(wide)]
            if reaching:
                self._met.append(wide)
                return not any(reaching)
            self._idle_since = start
        self._unproven.append(window)
        return True

    def _is_idle_beside(self, witness: Window, window: Window) -> bool:
        """Ask for both at once: there are records in the one, so there must be an answer."""
        both = Window(min(witness.start, window.start), max(witness.end, window.end))
        for _ in range(ATTEMPTS):
            reaching = [_reaches_into(each, window) for each in self._records(both)]
            if reaching:
                return not any(reaching)
        raise _lost(both)

    def _nearest(self, window: Window) -> Window:
        def distance(met: Window) -> timedelta:
            return max(met.start - window.end, window.start - met.end)

        return min(self._met, key=distance)

    def _earlier_starts(self, window: Window) -> Iterator[datetime]:
        """Ever longer, ending with `window`; in one step where the time before was found idle."""
        if self._idle_since is not None and self._idle_since < window.start:
            yield self._idle_since
            return
        back = window.end - window.start
        while back < FARTHEST:
            back = max(2 * back, timedelta(days=1))
            yield window.end - back

    def _records(self, window: Window) -> Iterator[Record]:
        return self.accounting.read_job_records(window)


def _reaches_into(record: Record, window: Window) -> bool:
    if isinstance(record, UnreadableRecord) or record.start is None or record.end is None:
        return True
    return record.start < window.end and record.end > window.start


def _lost(window: Window) -> AccountingDown:
    reason = f"no job records from {window.start} to {window.end}, though there are some"
    return AccountingDown(("sacct",), 0, reason)
