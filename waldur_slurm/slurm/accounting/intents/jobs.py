"""Jobs: the queue as slurmctld has it, the records as the accounting has them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from secrets import token_hex

from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.jobs import JobRecord, QueuedJob, Run, UnreadableRecord
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Window
from waldur_slurm.slurm.accounting.grammar import border, commands, parsers
from waldur_slurm.slurm.accounting.intents.confirmed import ConfirmedWrites
from waldur_slurm.slurm.accounting.port import Outcome, RolledUp
from waldur_slurm.slurm.accounting.records import MOST_NAMES, batches
from waldur_slurm.slurm.grammar.questions import questions_about


class Jobs(ConfirmedWrites):
    """What runs, what ran, and ending it."""

    def read_queue(self, accounts: Collection[AccountName]) -> tuple[QueuedJob, ...]:
        if not accounts:
            return ()
        only = accounts if len(accounts) <= MOST_NAMES else ()
        jobs = parsers.parse_queue(self._tools.ask(commands.show_queue(self._away, only)))
        return tuple(job for job in jobs if job.account in accounts)

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        """Clip once more: of a window that ends in this very second sacct shows one second more."""
        argv = commands.show_jobs(self.cluster, window.start, window.end)
        for record in parsers.parse_jobs(self._tools.listen(argv)):
            yield record.until(window.end) if isinstance(record, JobRecord) else record

    def read_suspended(self, ids: Collection[str]) -> Mapping[Run, datetime]:
        """Ask about each by itself: in a listing, text of one job can pass for another job."""
        jobs = sorted(map(border.check_job_id, ids))
        if not jobs:
            return {}
        argv, mark = commands.obey_questions(self._away), f"answered-{token_hex(16)}"
        completed = self._tools.attempt(argv, stdin=questions_about(jobs, mark))
        try:
            self._tools.believe(argv, completed)
        except CommandFailed as refusal:  # slurmctld no longer knows some of the jobs
            if refusal.transient:
                raise
        return parsers.parse_suspensions(completed.out, jobs, mark)

    def read_backlog(self) -> int:
        return parsers.parse_backlog(self._tools.ask(commands.show_statistics(self._away)))

    def read_rollup(self, account: AccountName, window: Window) -> Mapping[RolledUp, int]:
        border.check_account(account)
        argv = commands.show_rollup(self.cluster, account, window.start, window.end)
        return parsers.parse_rollup(account, self._tools.ask(argv))

    def cancel_jobs(self, jobs: Iterable[QueuedJob]) -> Outcome:
        """Ask Slurm to end jobs; running ones take a moment. Those gone meanwhile are no error."""
        wanted = {job.id: job for job in jobs}
        for only_pending in (True, False):
            group = [job.id for job in wanted.values() if job.is_pending is only_pending]
            for part in batches(group):
                self._cancel([wanted[each] for each in part], only_pending=only_pending)
        return Outcome.CHANGED if wanted else Outcome.ALREADY_SO

    def _cancel(self, jobs: Sequence[QueuedJob], *, only_pending: bool) -> None:
        ids = [border.check_job_id(job.id) for job in jobs]
        argv = commands.cancel_jobs(self._away, ids, only_pending=only_pending)
        completed = self._tools.attempt(argv)
        if completed.code == 0 and not self._tools.is_silence(argv, completed):
            return
        queued = {job.id: job for job in self.read_queue({job.account for job in jobs})}
        left = (queued[job] for job in ids if job in queued)
        if any(job.is_pending is only_pending for job in left):
            self._tools.believe(argv, completed)
