"""What an account's journal, squeue and sacct say of jobs: one squeue a look, one sacct at most.

Silence is an answer of its own: while nobody answers, all that was asked for is unknown.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waldur_slurm.errors import ExpectedError, NotLetIn
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.live import JobListing
from waldur_slurm.model.names import ClusterName, UserName
from waldur_slurm.model.past import PastJob, PastQuery
from waldur_slurm.operator.jobs.port import Found
from waldur_slurm.operator.ways.entries import Entry
from waldur_slurm.operator.ways.login import Login, Noted
from waldur_slurm.operator.ways.settling import (
    CLOCKS,
    COMMAND,
    TORN,
    Evidence,
    may_be_forgotten,
    why_unknown,
)
from waldur_slurm.operator.ways.slurm_views import Marks, rest_of, row_of_live, row_of_past
from waldur_slurm.operator.ways.together import found_from
from waldur_slurm.operator.ways.whole import Row
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.grammar.keeping import rules_of
from waldur_slurm.slurm.live.client import ClusterClient
from waldur_slurm.slurm.past.client import MOST_NUMBERS, HistoryClient

LOOKED_BACK = timedelta(days=31)
UNTOLD = "DBD Agent queue size"
"""Slurm's counter of what slurmctld has still to tell the accounting."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, and what the journal held of these marks before Slurm was asked."""

    found: Found
    entries: Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is of the marks, and what says that there may be more."""

    rows: list[Row]
    torn: Collection[str] = ()
    """Cells of rows that are not understood."""
    silence: str = ""


class Looking:
    """As one user; `bin_path` is where Slurm's tools lie on the login host."""

    def __init__(self, login: Login, transport: Transport, user: str, bin_path: str) -> None:
        self._login = login
        self._transport = transport
        self._user = UserName(user)
        self._bin_path = bin_path
        self.cluster = ClusterClient(transport, bin_path=bin_path, timeout=COMMAND)
        self._configuration: Mapping[str, str] | None = None
        self._known_history: HistoryClient | None = None

    def read_configuration(self) -> Mapping[str, str]:
        self._configuration = self.cluster.read_configuration()
        return self._configuration

    def look_up(self, marks: Collection[str], since: datetime | None) -> Look:
        began = datetime.now(UTC)
        try:
            noted = self._login.read(marks)
            at = time.monotonic()
            listing = self.cluster.read_jobs()
            took = timedelta(seconds=time.monotonic() - at)
            means = Marks(marks, self._user, noted.entries)
            seen = self._with_past(_listed(listing, means), marks, means, noted, since)
            unknown = self._unknown(marks, seen, noted, took)
        except NotLetIn as error:
            shut = dict.fromkeys(marks, str(error))
            return Look(Found(began, {}, frozenset(), frozenset(marks), shut=shut))
        except ExpectedError as error:
            return Look(Found(began, {}, frozenset(), frozenset(marks), str(error)))
        absent = {*marks} - _marks(seen.rows) - unknown.keys()
        tried = () if seen.silence else unknown.keys() & noted.entries.keys()
        found = found_from(seen.rows, as_of=began, absent=absent, unknown=unknown, tried=tried)
        return Look(found, noted.entries)

    def list_marked(self, prefix: str) -> Found:
        began = datetime.now(UTC)
        alive = [
            job
            for job in self.cluster.read_jobs().jobs
            if job.user == self._user
            if job.comment.startswith(prefix) and not job.state.is_terminal
        ]
        marks = {job.comment for job in alive}
        means = Marks(marks, self._user, self._login.read(marks).entries)
        rows = [row_of_live(job, job.comment) for job in alive if means.of_live(job) == job.comment]
        return found_from(rows, as_of=began, absent=(), unknown={})

    def _with_past(
        self,
        listed: _Seen,
        marks: Collection[str],
        means: Marks,
        noted: Noted,
        since: datetime | None,
    ) -> _Seen:
        """Ask the accounting for what is not listed, and for the tasks that ended of what is."""
        missing = {*marks} - _marks(listed.rows)
        arrays = frozenset(row.id.whole for row in listed.rows if row.tasks)
        if not missing and not arrays:
            return listed
        query = self._query(missing, arrays, noted, since)
        try:
            past = [*self._history().read_jobs(query)]
        except ExpectedError as error:
            certain = [row for row in listed.rows if not row.tasks]
            return _Seen(certain, listed.torn, f"the accounting does not answer: {error}")
        jobs = [job for job in past if isinstance(job, PastJob)]
        torn = [cell for job in past if not isinstance(job, PastJob) for cell in job.cells]
        rows = [row_of_past(job, mark) for job in jobs if (mark := means.of_past(job)) is not None]
        return _Seen([*listed.rows, *rest_of(rows, listed.rows)], [*listed.torn, *torn])

    def _query(
        self,
        missing: Collection[str],
        arrays: frozenset[JobId],
        noted: Noted,
        since: datetime | None,
    ) -> PastQuery:
        """Ask by number where all are known: that costs the accounting little."""
        now = datetime.now(UTC)
        entries = [noted.entries[mark] for mark in missing if mark in noted.entries]
        known = frozenset(JobId(entry.number) for entry in entries if entry.number is not None)
        are_known = len(known) == len(missing) and len(known | arrays) <= MOST_NUMBERS
        times = [datetime.fromtimestamp(entry.at, UTC) - CLOCKS for entry in entries]
        return PastQuery(
            since=min([*times, since or now - LOOKED_BACK, now]),
            until=now,
            users=frozenset({self._user}),
            ids=known | arrays if are_known else frozenset(),
        )

    def _unknown(
        self, marks: Collection[str], seen: _Seen, noted: Noted, took: timedelta
    ) -> Mapping[str, str]:
        missing = {*marks} - _marks(seen.rows)
        entries = [noted.entries[mark] for mark in missing if mark in noted.entries]
        evidence = self._evidence(entries, noted, took) if entries else None
        whys: dict[str, str] = {}
        for mark in missing:
            entry = noted.entries.get(mark)
            is_torn = any(mark in cell for cell in seen.torn)
            why = why_unknown(entry, evidence) if entry and evidence else ""
            whys[mark] = TORN if is_torn else seen.silence or why
        return {mark: why for mark, why in whys.items() if why}

    def _evidence(self, entries: Collection[Entry], noted: Noted, took: timedelta) -> Evidence:
        """slurmctld's counters are asked for only where the accounting decides."""
        rules = rules_of(self._configuration or self.read_configuration())
        is_behind = False
        if any(may_be_forgotten(entry, noted.now, rules) for entry in entries):
            is_behind = self.cluster.read_statistics().counters.get(UNTOLD, 1) > 0
        return Evidence(noted.now, took, rules, is_behind)

    def _history(self) -> HistoryClient:
        if self._known_history is None:
            told = self._configuration or self.read_configuration()
            self._known_history = HistoryClient(
                self._transport,
                ClusterName(told["ClusterName"]),
                bin_path=self._bin_path,
                timeout=COMMAND,
            )
        return self._known_history


def _listed(listing: JobListing, means: Marks) -> _Seen:
    rows = [
        row_of_live(job, mark) for job in listing.jobs if (mark := means.of_live(job)) is not None
    ]
    return _Seen(rows, [cell for row in listing.unreadable for cell in row.cells])


def _marks(rows: Collection[Row]) -> set[str]:
    return {row.seen.ref.mark for row in rows}
