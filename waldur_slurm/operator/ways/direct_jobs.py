"""`Jobs` over ssh: Slurm's own tools as one account of a login host.

The mark is looked for in squeue and sacct first; then the job is handed in under a lock on the
login host, after that was written down there. So two operators at once make one job, and an answer
that was lost is settled by what Slurm says, before anything else is handed in with the same mark.
An instance belongs to one thread.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from waldur_slurm.errors import AccountingDown, CannotStart, ExpectedError, TransportError
from waldur_slurm.hand.requests import MOST_SCRIPT
from waldur_slurm.model.batch import BatchSheet, Cancelled, Refusal, Verb, job_id
from waldur_slurm.model.batch import Refused as SlurmRefused
from waldur_slurm.model.live import LiveJob
from waldur_slurm.operator.jobs import port
from waldur_slurm.operator.jobs.port import ClusterFacts, Found, JobRef, Stream, Wanted
from waldur_slurm.operator.ways.entries import (
    Entry,
    fingerprint,
    placed_line,
    rest_of,
    rest_of_line,
)
from waldur_slurm.operator.ways.login import Login, Plain, Stands
from waldur_slurm.operator.ways.looking import Look, Looking
from waldur_slurm.operator.ways.settling import COMMAND
from waldur_slurm.operator.ways.slurm_views import (
    facts_of,
    is_speakable,
    sheet_of,
    where_it_writes,
    why_another,
)
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.batch.grammar.directives import FORBIDDEN, forbidden_in, may_wait
from waldur_slurm.slurm.batch.port import Commands, JobRefused
from waldur_slurm.slurm.batch.port import OutcomeUnknown as AnswerLost
from waldur_slurm.slurm.tools import Tools

FRESH_S = 30.0
"""For how long it holds that a mark was nowhere; what is written down meanwhile is seen anyhow."""

TIDIED_S = 86_400.0
TOKENLESS = "over ssh nobody can be given a token for one job; results need a gateway"


@dataclass(frozen=True, slots=True)
class _Cleared:
    """A mark that was nowhere, what its line was, and when that was seen."""

    line: str
    at: float


class DirectJobs:
    """One account's `Jobs`; `bin_path` is where Slurm's tools lie on the login host.

    `tidies` lets old lines of the journal go, once a day.
    """

    def __init__(
        self, transport: Transport, user: str, *, bin_path: str = "", tidies: bool = True
    ) -> None:
        self._login = Login(transport)
        self._looking = Looking(self._login, transport, user, bin_path)
        self._transport = transport
        self._asked = Tools(transport, bin_path=bin_path, timeout=COMMAND)
        self._user = user
        self._bin_path = bin_path
        self._cleared: dict[str, _Cleared] = {}
        self._tidies = tidies
        self._tidied = 0.0

    def read_facts(self) -> ClusterFacts:
        with _reading():
            facts = facts_of(self._looking.read_configuration())
            is_due = time.monotonic() - self._tidied > TIDIED_S or not self._tidied
            if self._tidies and is_due:
                self._login.tidy()
                self._tidied = time.monotonic()
        return facts

    def submit(self, wanted: Wanted) -> JobRef:
        sheet = self._sheet(wanted)
        cleared = self._cleared.pop(wanted.mark, None)
        if cleared is None or time.monotonic() - cleared.at > FRESH_S:
            look = self._look_up([wanted.mark], None)
            entry = look.entries.get(wanted.mark)
            _demand_same(entry, fingerprint(wanted, sheet))
            if wanted.mark in look.found.jobs:
                return self._adopted(look.found.jobs[wanted.mark].ref, entry)
            if wanted.mark in look.found.unknown:
                raise (port.OutcomeUnknown if entry else port.Unreached)(look.found.said)
            cleared = self._cleared.pop(wanted.mark)
        return self._hand_in(wanted, sheet, cleared.line)

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:
        return self._look_up(marks, since).found

    def _look_up(self, marks: Collection[str], since: datetime | None) -> Look:
        """What became of an attempt is written down: its owner may change its comment."""
        look = self._looking.look_up(marks, since)
        entries, at = look.entries, time.monotonic()
        for mark, job in look.found.jobs.items():
            entry = entries.get(mark)
            if entry and entry.number is None:
                self._note(job.ref, entry)
        for mark in look.found.absent:
            line = entries[mark].line if mark in entries else ""
            self._cleared[mark] = _Cleared(line, at)
        return look

    def list_marked(self, prefix: str) -> Found:
        with _reading():
            return self._looking.list_marked(prefix)

    def cancel(self, job: JobRef) -> None:
        rows = self._meant(job)
        if not rows:
            return
        with _doing():
            outcome = self._batch().cancel([job_id(job.job_id).whole])[job_id(job.job_id).whole]
        if isinstance(outcome, SlurmRefused):
            raise port.Refused(outcome.words)
        if outcome is Cancelled.SPARED:
            raise port.OutcomeUnknown(f"scancel said nothing of job {job.job_id}")

    def hold(self, job: JobRef) -> None:
        self._control(Verb.HOLD_AS_USER, job)

    def release(self, job: JobRef) -> None:
        self._control(Verb.RELEASE, job)

    def requeue_held(self, job: JobRef) -> None:
        self._control(Verb.REQUEUE_HELD, job)

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        rows = self._meant(job)
        path = where_it_writes(rows, stream)
        if path is None:
            raise port.Refused(f"where job {job.job_id} writes is not known, or no longer")
        with _reading():
            return self._login.read_tail(path, size)

    def make_token(self, job: JobRef, lifetime: timedelta) -> str:  # noqa: ARG002 - as the port has it
        raise port.Refused(TOKENLESS)

    def _sheet(self, wanted: Wanted) -> BatchSheet:
        if wanted.user != self._user:
            raise port.Refused(
                f"this account is {self._user}, and no job of {wanted.user}'s is its"
            )
        if not is_speakable(wanted.mark):
            raise port.Refused("a mark has letters, digits and _.:/@+=,~- alone")
        if len(wanted.script.encode("utf-8", "replace")) > MOST_SCRIPT:
            raise port.Refused(f"the script is larger than {MOST_SCRIPT} bytes")
        for option in ("clusters", "comment"):
            if option in wanted.options:
                raise port.Refused(f"--{option} is not for a job to say")
        option = forbidden_in(wanted.script) or ""
        if option:
            raise port.Refused(f"the script may not say #SBATCH --{option}: {FORBIDDEN[option]}")
        return sheet_of(wanted)

    def _hand_in(self, wanted: Wanted, sheet: BatchSheet, expected: str) -> JobRef:
        print_, waits = fingerprint(wanted, sheet), may_wait(sheet)
        rest = rest_of_line(wanted.mark, print_, token_hex(8), may_wait=waits)
        guarded = self._login.guarded(wanted.mark, expected, rest)
        with _doing():
            try:
                submitted = self._batch(guarded).submit(sheet)
            except (JobRefused, AccountingDown):
                self._free(wanted.mark, guarded.line)
                raise
        return JobRef(str(submitted.id), None, wanted.mark, wanted.user)

    def _free(self, mark: str, line: str) -> None:
        """Where it cannot be done, a look settles it later."""
        try:
            if line:
                self._login.change(mark, line, "")
        except ExpectedError:
            return

    def _adopted(self, ref: JobRef, entry: Entry | None) -> JobRef:
        """A job of which the journal, lost perhaps, knows nothing is in it from now on."""
        if entry is None:
            self._note(ref, entry)
        return ref

    def _note(self, ref: JobRef, entry: Entry | None) -> None:
        """Where it cannot be done, the next look does it."""
        at = int(ref.submitted.timestamp()) if ref.submitted else 0
        rest = rest_of(entry) if entry else rest_of_line(ref.mark, "-", "-", may_wait=False)
        line = placed_line(entry.at if entry else at, rest, job_id(ref.job_id).number)
        try:
            self._login.change(ref.mark, entry.line if entry else "", line)
        except ExpectedError:
            return

    def _control(self, verb: Verb, job: JobRef) -> None:
        rows = self._meant(job, is_each=verb is Verb.REQUEUE_HELD)
        if all(row.state.is_terminal for row in rows):
            raise port.Refused(f"job {job.job_id} has ended, or there is none")
        with _doing():
            self._batch().control(verb, job_id(job.job_id).whole)

    def _meant(self, job: JobRef, *, is_each: bool = False) -> Sequence[LiveJob]:
        """Return its rows, if it is the one that is meant; none where slurmctld has it no more."""
        with _reading():
            entry = self._login.read([job.mark]).entries.get(job.mark)
            rows = self._looking.cluster.read_job(job_id(job.job_id).whole).jobs
        why = why_another(job, rows, entry, self._user, is_each=is_each)
        if why:
            raise port.AnotherJob(why)
        return rows

    def _batch(self, commands: Commands | None = None) -> SlurmBatch:
        run_by = commands or Plain(self._transport)
        return SlurmBatch(run_by, self._asked, bin_path=self._bin_path, timeout=COMMAND)


def _demand_same(entry: Entry | None, print_: str) -> None:
    """A line that was written when a job was adopted does not know what was asked for."""
    if entry and entry.fingerprint not in ("-", print_):
        raise port.OutcomeUnknown("this key stands for another job")


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except ExpectedError as error:
        raise port.Unreached(str(error)) from error


@contextmanager
def _doing() -> Iterator[None]:
    try:
        yield
    except JobRefused as error:
        kind = port.Unreached if error.why.refusal is Refusal.BUSY else port.Refused
        raise kind(error.why.words) from error
    except (AccountingDown, CannotStart) as error:
        raise port.Unreached(f"nothing was done: {error}") from error
    except (AnswerLost, TransportError, Stands) as error:
        raise port.OutcomeUnknown(str(error)) from error
    except ExpectedError as error:
        raise port.Unreached(str(error)) from error
