"""A queue in memory that says no where Slurm does, and can be away or lose an answer."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from waldur_slurm.errors import AccountingDown, TransportError
from waldur_slurm.hand.options import NotAllowed
from waldur_slurm.model.batch import (
    BatchSheet,
    Cancelled,
    Estimate,
    GuardedState,
    JobId,
    Refusal,
    Refused,
    Submitted,
    Tasks,
    Verb,
)
from waldur_slurm.slurm.batch.grammar import commands
from waldur_slurm.slurm.batch.port import JobRefused, OutcomeUnknown

START = datetime(2026, 11, 30, tzinfo=UTC)


@dataclass
class FakeJob:
    """One job of the queue; of an array, the tasks that have not been cancelled."""

    number: int
    user: str
    sheet: BatchSheet
    state: str = "PENDING"
    signals: list[str] = field(default_factory=list)
    gone_tasks: list[str] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        return self.state in ("CANCELLED", "COMPLETED")


@dataclass
class FakeQueue:
    """What slurmctld holds, shared by the `FakeBatch` of each user."""

    partitions: set[str] = field(default_factory=lambda: {"main"})
    accounts: dict[str, set[str]] = field(default_factory=dict)
    qos: set[str] = field(default_factory=lambda: {"normal"})
    full: set[str] = field(default_factory=set)
    """Accounts that may not submit any more jobs."""
    jobs: list[FakeJob] = field(default_factory=list)
    is_down: bool = False
    loses_answers: bool = False
    loses_requests: bool = False
    """sbatch is lost on its way, and nobody is told."""
    delays_requests: bool = False
    """Who asked is gone before sbatch arrives; it does so at the next `arrive`."""
    on_the_way: "list[tuple[FakeBatch, BatchSheet]]" = field(default_factory=list)
    on_new: Callable[[FakeJob], None] = lambda _job: None
    """Whoever shows the queue hears of each new job."""

    def find(self, job: JobId) -> FakeJob | None:
        return next((each for each in self.jobs if each.number == job.number), None)

    def arrive(self) -> None:
        """Take what is still on its way; where nobody answers, that is lost."""
        for batch, sheet in self.on_the_way:
            if not self.is_down:
                batch.take(sheet)
        self.on_the_way.clear()

    def tick(self) -> None:
        """Start whatever is not held."""
        for job in self.jobs:
            if job.state == "PENDING" and "hold" not in job.sheet.options:
                job.state = "RUNNING"


class FakeBatch:
    """One user's `Batch` in a `FakeQueue`."""

    def __init__(self, queue: FakeQueue, user: str) -> None:
        self.queue = queue
        self.user = user

    def submit(self, sheet: BatchSheet) -> Submitted:
        self._check(sheet)
        self._reach("sbatch")
        if self.queue.loses_requests:
            raise OutcomeUnknown("sbatch's answer was lost: killed")
        if self.queue.delays_requests:
            self.queue.on_the_way.append((self, sheet))
            raise OutcomeUnknown("sbatch's answer was lost: killed")
        job = self.take(sheet)
        if self.queue.loses_answers:
            raise OutcomeUnknown("sbatch's answer was lost: Socket timed out")
        return Submitted(JobId(job.number))

    def take(self, sheet: BatchSheet) -> FakeJob:
        self._judge(sheet)
        job = FakeJob(len(self.queue.jobs) + 1, self.user, sheet)
        self.queue.jobs.append(job)
        self.queue.on_new(job)
        return job

    def estimate(self, sheet: BatchSheet) -> Estimate:
        self._check(sheet)
        self._reach("sbatch")
        self._judge(sheet)
        return Estimate(START, 1, "n1", sheet.options.get("partition") or "main")

    def cancel(
        self, jobs: Collection[JobId], *, signal: str = "", only: GuardedState | None = None
    ) -> Mapping[JobId, Cancelled | Refused]:
        self._reach("scancel")
        outcomes = {job: self._cancel(job, signal, only) for job in jobs}
        self._answer("scancel")
        return outcomes

    def control(self, verb: Verb, job: JobId) -> None:
        self._reach("scontrol")
        found = self._own(job)
        is_requeue = verb in (Verb.REQUEUE, Verb.REQUEUE_HELD)
        if verb in (Verb.SUSPEND, Verb.RESUME, Verb.TOP):
            raise _refused(Refusal.NOT_ALLOWED, "Access/permission denied")
        if is_requeue and found.state == "PENDING":
            raise _refused(Refusal.STATE, "Job is pending execution")
        if is_requeue:
            found.state = "PENDING"
        options = {**found.sheet.options}
        options.pop("hold", None)
        if verb in (Verb.HOLD, Verb.HOLD_AS_USER, Verb.REQUEUE_HELD):
            options["hold"] = None
        found.sheet = BatchSheet(found.sheet.script, options, found.sheet.variables)
        self._answer("scontrol")

    def update(self, job: JobId, changes: Mapping[str, str]) -> None:
        try:
            commands.update(job, changes)
        except NotAllowed as error:
            raise _refused(Refusal.OPTION, str(error)) from error
        self._reach("scontrol")
        found = self._own(job)
        if changes.get("Partition", "main") not in self.queue.partitions:
            raise _refused(Refusal.PARTITION, "Invalid partition name specified")
        found.changes.update(changes)
        self._answer("scontrol")

    def read_script(self, number: int) -> str:
        self._reach("scontrol")
        return self._own(JobId(number)).sheet.script

    def _reach(self, tool: str) -> None:
        if self.queue.is_down:
            raise AccountingDown((tool,), 1, "Unable to contact slurm controller")

    def _answer(self, tool: str) -> None:
        if self.queue.loses_answers:
            raise TransportError(f"{tool}'s answer was lost: Socket timed out")

    def _check(self, sheet: BatchSheet) -> None:
        try:
            commands.submit(sheet)
        except NotAllowed as error:
            raise _refused(Refusal.OPTION, str(error)) from error

    def _judge(self, sheet: BatchSheet) -> None:
        account = sheet.options.get("account")
        if not sheet.script.startswith("#!"):
            raise _refused(Refusal.SCRIPT, "This does not look like a batch script")
        if (sheet.options.get("partition") or "main") not in self.queue.partitions:
            raise _refused(Refusal.PARTITION, "Invalid partition name specified")
        if account and account not in self.queue.accounts.get(self.user, set()):
            raise _refused(Refusal.ACCOUNT, "Invalid account")
        if (sheet.options.get("qos") or "normal") not in self.queue.qos:
            raise _refused(Refusal.QOS, "Invalid qos specification")
        if account in self.queue.full:
            words = "AssocGrpSubmitJobsLimit"
            raise JobRefused(Refused(Refusal.LIMIT, words, words))

    def _own(self, job: JobId) -> FakeJob:
        found = self.queue.find(job)
        if found is None:
            raise _refused(Refusal.JOB, "Invalid job id specified")
        if found.user != self.user:
            raise _refused(Refusal.NOT_ALLOWED, "Access/permission denied")
        return found

    def _cancel(self, job: JobId, signal: str, only: GuardedState | None) -> Cancelled | Refused:
        found = self.queue.find(job)
        if found is None:
            return Cancelled.ABSENT
        if found.is_over:
            return Cancelled.ABSENT if only else Cancelled.OVER
        if only is not None and found.state != only.value:
            return Cancelled.SPARED
        if found.user != self.user:
            return Refused(Refusal.NOT_ALLOWED, "Access/permission denied")
        if signal:
            found.signals.append(signal)
        elif job.part is None:
            found.state = "CANCELLED"
        else:
            tasks = job.part.numbers if isinstance(job.part, Tasks) else (str(job.part)[1:],)
            found.gone_tasks.extend(map(str, tasks))
        return Cancelled.SENT


def _refused(refusal: Refusal, words: str) -> JobRefused:
    return JobRefused(Refused(refusal, words))
