"""Read job records in parts of a time, keeping sums instead of records."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from waldur_slurm.agent.metering.witness import WitnessedRecords
from waldur_slurm.agent.model.usage import Basis, OpenPart, Share
from waldur_slurm.model.jobs import JobRecord, Run, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import Tres, TresName
from waldur_slurm.slurm.accounting.port import Accounting

HOUR = timedelta(hours=1)
FIRST_PART = timedelta(hours=12)
"""Where nothing is known of the time before: how many jobs run there already, least of all."""
LONGEST_PART = timedelta(days=16)
MANY_RECORDS = 20_000
"""What a part should hold at most: sacct keeps all that it prints, nearly 2 kB each."""
FEW_RECORDS = 4_000
"""What a part may begin with in any case: jobs that run for long come again in every part."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Holder = tuple[AccountName, UserName]


@dataclass(slots=True)
class Sums:
    """What the records of some windows come to; those that have no end yet are kept apart."""

    basis: Basis
    wanted: frozenset[TresName]
    held: dict[Holder, dict[TresName, int]] = field(default_factory=dict)
    """TRES-seconds."""
    open_parts: list[OpenPart] = field(default_factory=list)
    in_doubt: dict[str, str] = field(default_factory=dict)
    seen: set[Run] = field(default_factory=set)
    """Those of the numbers that were watched for."""
    ended: set[Run] = field(default_factory=set)
    """Those of them that have an end."""
    next_part: timedelta = FIRST_PART
    """How long a part may be that follows what was read."""

    def read(
        self,
        records: WitnessedRecords,
        window: Window,
        watched: Collection[str] = (),
    ) -> None:
        """Add the records of `window`, part by part; after an error nothing here counts."""
        rest = window
        while rest.start < rest.end:
            part = rest.before(rest.start + self.next_part)
            found, began = self._read_part(records, part, watched)
            self.next_part = next_length(part, self.next_part, found, began)
            rest = rest.since(part.end)
        self._cut_suspensions(records.accounting)

    def _read_part(
        self, records: WitnessedRecords, window: Window, watched: Collection[str]
    ) -> tuple[int, int]:
        """Say how many records there were, and how many of them began in this part."""
        found = began = 0
        for record in records.read(window):
            found += 1
            if isinstance(record, UnreadableRecord):
                self.in_doubt.update(dict.fromkeys(record.cells, record.reason))
                continue
            if record.id in watched:
                self.seen.add(record.run)
                if record.start is not None and not record.is_open:
                    self.ended.add(record.run)
            # sacct also lists a job that was pending in the window and started after it.
            began += record.start is not None and window.start < record.start < window.end
            self._add(record, window)
        return found, began

    @property
    def tally(self) -> dict[Share, int]:
        return {
            Share(account, user, tres): seconds
            for (account, user), amounts in self.held.items()
            for tres, seconds in amounts.items()
        }

    def merge(self, other: "Sums", ended: Collection[Run]) -> None:
        """Add those of the time before, of whose open allocations some have `ended` since."""
        for holder, amounts in other.held.items():
            self._hold(holder, amounts, 1)
        for part in other.open_parts:
            if part.run in ended:
                self._hold((part.account, part.user), part.amounts, part.seconds)
            else:
                self.open_parts.append(part)
        self.in_doubt.update(other.in_doubt)

    def _add(self, record: JobRecord, window: Window) -> None:
        amounts = self.basis.amounts(record)
        if not record.seconds or not amounts:
            return
        if record.is_open:
            self.open_parts.append(self._open_part(record, window))
            return
        self._hold((record.account, record.user), self._wanted_of(amounts), record.seconds)

    def _hold(self, holder: Holder, amounts: Tres, seconds: int) -> None:
        mine = self.held.setdefault(holder, {})
        for tres, amount in amounts.items():
            mine[tres] = mine.get(tres, 0) + amount * seconds

    def _wanted_of(self, amounts: Tres) -> Tres:
        return {tres: amounts[tres] for tres in amounts if tres in self.wanted}

    def _open_part(self, record: JobRecord, window: Window) -> OpenPart:
        return OpenPart(
            run=record.run,
            account=record.account,
            user=record.user,
            held=Window(record.start or window.start, record.end or window.end),
            seconds=record.seconds,
            amounts=self._wanted_of(self.basis.amounts(record)),
            is_suspended=record.is_suspended,
        )

    def _cut_suspensions(self, accounting: Accounting) -> None:
        """Take out the suspensions that are not over: sacct counts them as held (22.05)."""
        suspended = {part.run.id for part in self.open_parts if part.is_suspended}
        if suspended:
            queued = accounting.read_suspended(suspended)
            since = {run.id: (run, moment) for run, moment in queued.items()}
            self.open_parts = [_cut(part, since) for part in self.open_parts]


def _cut(part: OpenPart, since: Mapping[str, tuple[Run, datetime]]) -> OpenPart:
    """One of which slurmctld does not say since when stays suspended, and whole."""
    if not part.is_suspended or part.run.id not in since:
        return part
    queued, moment = since[part.run.id]
    return replace(part.until(moment), is_suspended=False) if part.run.continues(queued) else part


def next_length(part: Window, allowed: timedelta, found: int, began: int) -> timedelta:
    """Foresee how long the next part may be: what ran already comes again, and as many new ones.

    Quiet times are read in long parts, for fewer processes; in busy ones none of them grows large.
    `part` may be shorter than was `allowed`: a window's last one ends with the window.
    """
    longest = min(2 * allowed, LONGEST_PART)
    if began:
        room = max(MANY_RECORDS - (found - began), FEW_RECORDS)
        longest = min(longest, (part.end - part.start) * room // began)
    return max(longest // HOUR * HOUR, HOUR)


def to_epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def from_epoch(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)
