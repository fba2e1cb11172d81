"""`History` over sacct and sacctmgr."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from waldur_slurm.errors import CommandFailed, UnparsableOutput
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import ClusterName
from waldur_slurm.model.past import (
    Account,
    Membership,
    Page,
    PastJob,
    PastOutput,
    PastQuery,
    PastRun,
    PastStep,
    Person,
    Position,
    UnreadablePast,
)
from waldur_slurm.model.period import Window
from waldur_slurm.processes.port import Argv, Transport
from waldur_slurm.slurm.grammar.commands import show_clusters
from waldur_slurm.slurm.grammar.marks import mark_of
from waldur_slurm.slurm.past.grammar import commands, parsers
from waldur_slurm.slurm.past.grammar.columns import (
    OUTPUT_TEXTS,
    STEP_TEXTS,
    TEXTS,
    OutputRow,
    RunRow,
    StepRow,
)
from waldur_slurm.slurm.past.grammar.commands import Narrowed
from waldur_slurm.slurm.past.grammar.rows import read_rows
from waldur_slurm.slurm.past.grammar.walk import Walk
from waldur_slurm.slurm.tools import Tools

MOST_NUMBERS = 500
"""Jobs that one sacct is asked for by their numbers."""

TRIES = 3
"""How often an answer is asked for, each time with another mark, until every row fits."""

Value = TypeVar("Value")


def fresh_nonce() -> str:
    """Return 72 random bits, which no text that was written before can hold by chance."""
    return secrets.token_urlsafe(9)


class HistoryClient:
    """One cluster's `History`."""

    def __init__(
        self,
        transport: Transport,
        cluster: ClusterName,
        *,
        bin_path: str = "",
        timeout: timedelta | None = None,
        nonce: Callable[[], str] = fresh_nonce,
    ) -> None:
        self._tools = Tools(transport, bin_path=bin_path, timeout=timeout)
        self._cluster = cluster
        self._nonce = nonce
        self._is_known = False

    @property
    def cluster(self) -> ClusterName:
        return self._cluster

    def read_jobs(self, query: PastQuery) -> Iterator[PastJob | UnreadablePast]:
        self._know_cluster()
        if query.ids:
            yield from self._read_numbers(query)
            return
        narrowed = Narrowed(users=query.users, accounts=query.accounts)
        walk = Walk(Window(query.since, query.until))
        while (part := walk.next_slice()) is not None:
            runs, unreadable = self._read_runs(part, narrowed)
            yield from unreadable
            yield from filter(query.wants, walk.take(part, runs))

    def read_page(self, query: PastQuery, *, limit: int, after: Position | None = None) -> Page:
        """What is newer than the page has to be read again, as jobs end in any order."""
        found: list[PastJob] = []
        unreadable: list[UnreadablePast] = []
        for job in self.read_jobs(query):
            if isinstance(job, UnreadablePast):
                unreadable.append(job)
            elif after is None or job.position < after:
                if len(found) == limit:
                    return Page(tuple(found), found[-1].position, tuple(unreadable))
                found.append(job)
        return Page(tuple(found), None, tuple(unreadable))

    def read_steps(
        self, jobs: Collection[JobId], since: datetime
    ) -> Mapping[JobId, tuple[PastStep, ...]]:
        self._know_cluster()
        found: dict[JobId, list[PastStep]] = defaultdict(list)
        for part in _parts(jobs):
            for step in self._read_steps(part, since):
                if {step.job, step.job.whole} & {*jobs}:
                    found[step.job].append(step)
        return {job: tuple(steps) for job, steps in found.items()}

    def _read_steps(self, jobs: Collection[JobId], since: datetime) -> list[PastStep]:
        def ask(mark: str) -> Argv:
            return commands.show_steps(self._cluster, jobs, since, mark)

        rows = self._read(ask, StepRow, len(STEP_TEXTS), parsers.parse_step)
        return [row for row in rows if isinstance(row, PastStep)]

    def read_outputs(self, jobs: Collection[JobId], since: datetime) -> Mapping[JobId, PastOutput]:
        self._know_cluster()
        found: dict[JobId, PastOutput] = {}
        for part in _parts(jobs):
            for output in self._read_outputs(part, since):
                if {output.job, output.job.whole} & {*jobs}:
                    found[output.job] = output
        return found

    def _read_outputs(self, jobs: Collection[JobId], since: datetime) -> list[PastOutput]:
        """22.05 does not know the columns, and says so."""

        def ask(mark: str) -> Argv:
            return commands.show_outputs(self._cluster, jobs, since, mark)

        try:
            rows = self._read(ask, OutputRow, len(OUTPUT_TEXTS), parsers.parse_output)
        except CommandFailed as failed:
            if "Invalid field requested" not in failed.said:
                raise
            return []
        return [row for row in rows if isinstance(row, PastOutput)]

    def read_private(self) -> tuple[str, ...]:
        return parsers.parse_private(self._tools.ask(commands.show_configuration()))

    def read_people(self) -> tuple[Person, ...]:
        return parsers.parse_people(self._tools.ask(commands.show_people()))

    def read_accounts(self) -> tuple[Account, ...]:
        self._know_cluster()
        return parsers.parse_accounts(self._tools.ask(commands.show_accounts(self._cluster)))

    def read_memberships(self) -> tuple[Membership, ...]:
        self._know_cluster()
        return parsers.parse_memberships(self._tools.ask(commands.show_memberships(self._cluster)))

    def _know_cluster(self) -> None:
        """Of a cluster that slurmdbd does not know sacct prints nothing, with exit code 0."""
        if self._is_known:
            return
        argv = show_clusters()
        if self._cluster not in parsers.parse_clusters(self._tools.ask(argv)):
            raise CommandFailed(argv, 0, f"the accounting knows no cluster {self._cluster}")
        self._is_known = True

    def _read_numbers(self, query: PastQuery) -> Iterator[PastJob | UnreadablePast]:
        """A few jobs are asked for by number, over the whole window at once."""
        window = Window(query.since, query.until)
        runs: list[PastRun] = []
        for part in _parts(query.ids):
            numbers = tuple(sorted({job.number for job in part}))
            more, unreadable = self._read_runs(window, Narrowed(numbers=numbers))
            runs.extend(more)
            yield from unreadable
        yield from filter(query.wants, Walk(window).take(window, runs))

    def _read_runs(
        self, window: Window, narrowed: Narrowed
    ) -> tuple[list[PastRun], list[UnreadablePast]]:
        try:
            rows = self._asked_runs(window, narrowed)
        except CommandFailed as failed:
            if not narrowed.users or "Invalid user id" not in failed.said:
                raise
            rows = self._asked_runs(window, narrowed._replace(users=frozenset()))
        runs = [row for row in rows if isinstance(row, PastRun)]
        return runs, [row for row in rows if isinstance(row, UnreadablePast)]

    def _asked_runs(self, window: Window, narrowed: Narrowed) -> list[PastRun | UnreadablePast]:
        def ask(mark: str) -> Argv:
            return commands.show_runs(self._cluster, window.start, window.end, narrowed, mark)

        return self._read(ask, RunRow, len(TEXTS), parsers.parse_run)

    def _read(
        self,
        ask: Callable[[str], Argv],
        row: type,
        texts: int,
        read: Callable[..., Value],
    ) -> list[Value | UnreadablePast]:
        """Ask with one mark after the other until every row fits; what never fits is no forgery."""
        for tries_left in reversed(range(TRIES)):
            mark = mark_of(self._nonce())
            try:
                rows = [*read_rows(self._tools.listen(ask(mark)), mark, row, texts, read)]
            except UnparsableOutput:
                if tries_left == 0:
                    raise
                continue
            if tries_left == 0 or not any(isinstance(each, UnreadablePast) for each in rows):
                return rows
        raise UnparsableOutput("no answer was read")


def _parts(jobs: Collection[JobId]) -> Iterator[list[JobId]]:
    ordered = sorted(jobs, key=str)
    for start in range(0, len(ordered), MOST_NUMBERS):
        yield ordered[start : start + MOST_NUMBERS]
