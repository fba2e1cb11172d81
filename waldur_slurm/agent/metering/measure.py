"""Measure months exactly, part by part.

A part that cannot be read whole raises, and nothing is known of any month. slurmctld is asked who
lives before the records are read, so that a job that ends meanwhile is not taken for a lost one.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from waldur_slurm.agent.metering import lives
from waldur_slurm.agent.metering.past import PastDays, Span
from waldur_slurm.agent.metering.sums import FIRST_PART, Sums
from waldur_slurm.agent.metering.witness import WitnessedRecords
from waldur_slurm.agent.model.usage import Basis, Measurement
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.state import State

DAY = timedelta(days=1)


class Meter:
    """Measures what accounts of one cluster held; what it keeps of past days spares reading."""

    def __init__(
        self,
        accounting: Accounting,
        state: State,
        zone: ZoneInfo,
        wanted: Collection[TresName],
        basis: Basis = Basis.ALLOCATED,
    ) -> None:
        self._accounting = accounting
        self._state = state
        self._zone = zone
        self._wanted = frozenset(wanted)
        self._basis = basis
        self._past = PastDays(accounting, state, zone, basis, self._wanted)

    def measure(
        self,
        months: Iterable[Month],
        now: datetime,
        accounts: Collection[AccountName],
        *,
        remember: bool = False,
    ) -> Mapping[Month, Measurement]:
        """Measure each month up to `now`.

        `remember` is for the cycle that reports: the living are noted as seen at `now`.
        """
        now = now.replace(microsecond=0)
        queue = self._accounting.read_queue(accounts)
        known = lives.living(queue)
        spans = [Span.of(month, self._zone, now) for month in months]
        sums = self._read(spans, now, lives.long_running(queue, now))
        parts = [p for s in sums.values() for p in s.open_parts if p.account in accounts]
        memory = lives.recall(self._state)
        lost = lives.find_lost(parts, known, memory, now)
        if remember:
            lives.remember(self._state, parts, lost, now)
        return {
            span.month: _finished(span.whole, sums[span.month], accounts, lost) for span in spans
        }

    def measure_days(
        self, window: Window, now: datetime, accounts: Collection[AccountName]
    ) -> Mapping[Window, Measurement]:
        """Measure day by day, for a person; past days are read afresh."""
        now = now.replace(microsecond=0)
        known = lives.living(self._accounting.read_queue(accounts))
        records = WitnessedRecords(self._accounting)
        whole = window.before(now)
        days: dict[Window, Sums] = {}
        next_part = FIRST_PART
        for day in whole.days(self._zone):
            days[day] = self._sums(records, day, next_part=next_part)
            next_part = days[day].next_part
        records.settle()
        parts = [p for s in days.values() for p in s.open_parts if p.account in accounts]
        lost = lives.find_lost(parts, known, lives.recall(self._state), now)
        return {day: _finished(day, sums, accounts, lost) for day, sums in days.items()}

    def _read(
        self, spans: Collection[Span], now: datetime, running: lives.Living
    ) -> Mapping[Month, Sums]:
        kept = {span.month: self._past.recall(span, now) for span in spans}
        parts = [part for sums in kept.values() if sums for part in sums.open_parts]
        watched = {part.run.id for part in parts} | running.keys()
        records = WitnessedRecords(self._accounting)
        recent = {
            span.month: self._sums(
                records, span.recent, watched, next_part=_first_part(kept[span.month])
            )
            for span in spans
        }
        if any(span.recent.end == now for span in spans):
            lives.expect_some(running, recent.values())
        ended = {run for sums in recent.values() for run in sums.ended}
        fresh: dict[Span, Sums] = {}
        for span in spans:
            past = kept[span.month]
            if past is None or not _still_holds(past, recent.values()):
                past = fresh[span] = self._sums(records, span.past)
            recent[span.month].merge(past, ended)
        records.settle()
        for span, sums in fresh.items():
            self._past.keep(span, sums, now)
        return recent

    def _sums(
        self,
        records: WitnessedRecords,
        window: Window,
        watched: Collection[str] = (),
        next_part: timedelta = FIRST_PART,
    ) -> Sums:
        sums = Sums(self._basis, self._wanted, next_part=next_part)
        sums.read(records, window, watched)
        return sums


def _first_part(past: Sums | None) -> timedelta:
    """How the newest days' reading begins, foreseen by the days before; they may be busier."""
    return FIRST_PART if past is None else min(past.next_part, DAY)


def _still_holds(past: Sums, recent: Collection[Sums]) -> bool:
    """Whether the days in `past` would read the same now, as far as the newest days can tell.

    An allocation that was open must have been met again, or its end was put into the past. One
    of whose suspension nobody could tell the beginning may have been held for less than it counts.
    """
    seen = {run for sums in recent for run in sums.seen}
    return all(part.run in seen and not part.is_suspended for part in past.open_parts)


def _finished(
    window: Window,
    sums: Sums,
    accounts: Collection[AccountName],
    lost: Mapping[Run, datetime],
) -> Measurement:
    tally = {share: seconds for share, seconds in sums.tally.items() if share.account in accounts}
    parts = [part for part in sums.open_parts if part.account in accounts]
    for part in parts:
        counted = part.until(lost[part.run]) if part.run in lost else part
        for share, seconds in counted.shares():
            tally[share] = tally.get(share, 0) + seconds
    return Measurement(
        window=window,
        tally=tally,
        in_doubt=sums.in_doubt,
        unfinished=frozenset(part.account for part in parts if part.run not in lost),
        runaways=lives.runaways(parts, lost),
    )
