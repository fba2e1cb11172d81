"""A Slurm in memory as the operator's port `Jobs` has it; it can be silent, or lose an answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.jobs.port import (
    AnotherJob,
    ClusterFacts,
    Found,
    JobRef,
    NotAllowed,
    OutcomeUnknown,
    Refused,
    SeenJob,
    Stream,
    TaskCounts,
    Unreached,
    Wanted,
)

START = datetime(2026, 11, 30, tzinfo=UTC)
HELD = ("JobHeldUser", "job requeued in held state")
WAITS, RUNS = JobState("PENDING"), JobState("RUNNING")


@dataclass
class FakeSlurmJob:
    """One job as slurmctld and the accounting have it; `tasks` are the states of an array's."""

    number: int
    wanted: Wanted
    submitted: datetime
    comment: str
    state: JobState = WAITS
    reason: str = "Priority"
    exit_code: int | None = None
    signal: int | None = None
    tasks: dict[int, JobState] = field(default_factory=dict)
    output: dict[str, bytes] = field(default_factory=dict)
    may_requeue: bool = True
    is_forgotten: bool = False
    """slurmctld has it no more, and only the accounting tells of it."""

    @property
    def user(self) -> str:
        return self.wanted.user

    def end(self, state: str = "COMPLETED", code: int = 0, signal: int = 0) -> None:
        self.state, self.reason = JobState(state), "None"
        self.exit_code, self.signal = code, signal
        self.tasks = dict.fromkeys(self.tasks, self.state)


@dataclass
class FakeSlurmQueue:
    """What several `FakeJobs`, as several operators, ask; a test looks at it and changes it."""

    now: datetime = START
    jobs: list[FakeSlurmJob] = field(default_factory=list)
    journal: dict[str, tuple[Wanted, FakeSlurmJob | None]] = field(default_factory=dict)
    """By key: what was handed in, and its job; None while nobody knows whether there is one."""
    keeps_comments: bool = True
    is_silent: bool = False
    loses_answers: bool = False
    """What is asked is done, and nobody is told."""
    loses_requests: bool = False
    """What is asked arrives nowhere, and nobody is told."""
    denies: str = ""
    """Why this operator may not hand anything in."""
    refuses: str = ""
    """What Slurm says to every job that is handed in."""
    asked: list[str] = field(default_factory=list)
    """What was asked, by the names of the port's methods."""

    def tick(self, time: timedelta = timedelta(seconds=1)) -> None:
        """Let time pass, and start whatever is not held."""
        self.now += time
        for job in self.jobs:
            if job.state == WAITS and job.reason not in HELD:
                job.state, job.reason = RUNS, "None"
                job.tasks = dict.fromkeys(job.tasks, job.state)

    def find(self, job_id: str) -> FakeSlurmJob | None:
        """Return the newest of that number."""
        return next((job for job in reversed(self.jobs) if str(job.number) == job_id), None)

    def of_mark(self, mark: str) -> list[FakeSlurmJob]:
        return [job for job in self.jobs if job.comment == mark]

    def add(self, wanted: Wanted) -> FakeSlurmJob:
        """Hand a job in, past the journal."""
        job = FakeSlurmJob(len(self.jobs) + 1, wanted, self.now, wanted.mark)
        job.tasks = dict.fromkeys(_tasks_of(wanted), job.state)
        if "hold" in wanted.options:
            job.reason = "JobHeldUser"
        self.jobs.append(job)
        return job


class FakeJobs:
    """`Jobs` over a `FakeSlurmQueue`."""

    def __init__(self, queue: FakeSlurmQueue) -> None:
        self.queue = queue

    def read_facts(self) -> ClusterFacts:
        self._reach("read_facts")
        return ClusterFacts("22.05.8", self.queue.keeps_comments, timedelta(minutes=5))

    def submit(self, wanted: Wanted) -> JobRef:
        self._reach("submit")
        if self.queue.denies:
            raise NotAllowed(self.queue.denies)
        if self.queue.loses_requests:
            self.queue.journal.setdefault(wanted.key, (wanted, None))
            raise OutcomeUnknown("sbatch's answer was lost: killed")
        known = self.queue.journal.get(wanted.key)
        if known and known[0] != wanted:
            raise OutcomeUnknown("this key stands for another job")
        job = (known and known[1]) or self._adopt(wanted) or self._make(wanted)
        self.queue.journal[wanted.key] = (wanted, job)
        self._answer()
        return JobRef(str(job.number), job.submitted, wanted.mark, wanted.user)

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:  # noqa: ARG002 - the fake forgets nothing
        self.queue.asked.append("look_up")
        if self.queue.is_silent:
            return Found(self.queue.now, {}, frozenset(), frozenset(marks), "slurmctld is silent")
        found = {mark: seen for mark in marks if (seen := self._look_for(mark)) is not None}
        missing = frozenset(marks) - found.keys()
        tried = {wanted.mark for wanted, _ in self.queue.journal.values()}
        unknown = missing & tried
        said = "it was handed in, and Slurm does not show it" if unknown else ""
        return Found(self.queue.now, found, missing - unknown, unknown, said, unknown)

    def list_marked(self, prefix: str) -> Found:
        self._reach("list_marked")
        marks = {job.comment for job in self.queue.jobs if job.comment.startswith(prefix)}
        seen = {mark: job for mark in marks if (job := self._look_for(mark)) is not None}
        alive = {mark: job for mark, job in seen.items() if not job.state.is_terminal}
        return Found(self.queue.now, alive, frozenset(), frozenset())

    def cancel(self, job: JobRef) -> None:
        self._reach("cancel")
        found = self._guarded(job)
        if found and not found.state.is_terminal and not self.queue.loses_requests:
            found.end("CANCELLED")
        self._answer()

    def hold(self, job: JobRef) -> None:
        found = self._alive("hold", job)
        if found.state != WAITS:
            raise Refused("Job is no longer pending execution")
        found.reason = "JobHeldUser"
        self._answer()

    def release(self, job: JobRef) -> None:
        self._alive("release", job).reason = "Priority"
        self._answer()

    def requeue_held(self, job: JobRef) -> None:
        found = self._alive("requeue_held", job)
        if not found.may_requeue or found.state == WAITS:
            raise Refused("Requested operation is presently disabled")
        found.state, found.reason = WAITS, HELD[1]
        found.submitted = self.queue.now
        self._answer()

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        self._reach("read_tail")
        found = self._guarded(job)
        if found is None:
            raise Refused(f"there is no job {job.job_id}")
        return found.output.get(stream, b"")[-size:]

    def make_token(self, job: JobRef, lifetime: timedelta) -> str:
        self._reach("make_token")
        if self._guarded(job) is None:
            raise Refused(f"there is no job {job.job_id}")
        return f"token-{job.job_id}-{lifetime.total_seconds():.0f}"

    def _reach(self, what: str) -> None:
        self.queue.asked.append(what)
        if self.queue.is_silent:
            raise Unreached("slurmctld does not answer")

    def _answer(self) -> None:
        if self.queue.loses_answers or self.queue.loses_requests:
            raise OutcomeUnknown("the answer was lost: Socket timed out")

    def _adopt(self, wanted: Wanted) -> FakeSlurmJob | None:
        """A mark is believed of a job of the same user."""
        marked = self.queue.of_mark(wanted.mark)
        return next((job for job in marked if job.user == wanted.user), None)

    def _make(self, wanted: Wanted) -> FakeSlurmJob:
        if self.queue.refuses:
            raise Refused(self.queue.refuses)
        return self.queue.add(wanted)

    def _look_for(self, mark: str) -> SeenJob | None:
        """The journal knows better than comments, which users may write."""
        entries = [each for each in self.queue.journal.values() if each[0].mark == mark]
        if entries:
            wanted, known = entries[0]
            job = known or self._adopt(wanted)
            return None if job is None else self._seen(job, mark)
        marked = self.queue.of_mark(mark)
        shown = [job for job in marked if not job.is_forgotten or self.queue.keeps_comments]
        return self._seen(shown[-1], mark) if shown else None

    def _seen(self, job: FakeSlurmJob, mark: str) -> SeenJob:
        return SeenJob(
            JobRef(str(job.number), job.submitted, mark, job.user),
            job.state,
            job.reason,
            job.reason in HELD,
            job.exit_code,
            job.signal,
            nodes="n1" if job.state.base != "PENDING" else "",
            stdout=f"/home/{job.user}/slurm-{job.number}.out",
            tasks=_counts(job.tasks),
        )

    def _alive(self, what: str, job: JobRef) -> FakeSlurmJob:
        self._reach(what)
        found = self._guarded(job)
        if found is None or found.state.is_terminal:
            raise Refused(f"job {job.job_id} has ended, or there is none")
        if self.queue.loses_requests:
            raise OutcomeUnknown("the answer was lost: killed")
        return found

    def _guarded(self, job: JobRef) -> FakeSlurmJob | None:
        """Return it, if it is the one that is meant."""
        found = self.queue.find(job.job_id)
        if found is None:
            return None
        if job.submitted not in (None, found.submitted):
            raise AnotherJob(f"job {job.job_id} was submitted at another time")
        noted = {
            known.number
            for wanted, known in self.queue.journal.values()
            if known and wanted.mark == job.mark
        }
        is_meant = found.number in noted if noted else found.comment == job.mark
        if not is_meant or found.user != job.user:
            raise AnotherJob(f"job {job.job_id} is of another user, or has another mark")
        return found


def _tasks_of(wanted: Wanted) -> range:
    """Read `0-3`; a fake knows no more of arrays."""
    first, _, last = str(wanted.options.get("array", "")).partition("-")
    return range(int(first), int(last or first) + 1) if first else range(0)


def _counts(tasks: Mapping[int, JobState]) -> TaskCounts | None:
    if not tasks:
        return None
    words = [state.base for state in tasks.values()]
    pending, running, done = (words.count(each) for each in ("PENDING", "RUNNING", "COMPLETED"))
    failed = len(words) - pending - running - done
    return TaskCounts(len(words), pending, running, done, failed)
