"""A Slurm that an operator asks in one of its ways, and what an administrator does to it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import HONEST, LOSES_ITS_ANSWER
from tests.fakes.jobs import FakeJobs, FakeSlurmJob, FakeSlurmQueue
from tests.fixtures_hand import ANN, BOB
from tests.sandbox.processes import eventually
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.jobs.port import JobRef, Jobs, SeenJob, Wanted

SLEEPS = "#!/bin/sh\nsleep 600\n"
FAILS = "#!/bin/sh\necho first; echo why >&2; echo last; exit 3\n"
IS_KILLED = "#!/bin/sh\nkill -9 $$\n"
SOON_S = 120.0
OF = "k8s:tests:"


class JobsSite(Protocol):
    """`jobs` is as the user ANN; `again` makes another operator's."""

    jobs: Jobs

    def again(self) -> Jobs: ...

    def wanted(self, script: str = SLEEPS, **options: str | int | bool) -> Wanted:
        """Make a small job of Ann's, with a key and a mark of its own."""
        ...

    def until(self, job: JobRef, holds: Callable[[SeenJob], bool]) -> SeenJob:
        """Look until it is so; time passes."""
        ...

    def write_comment(self, job: JobRef, text: str) -> None:
        """Let its owner write its comment anew."""
        ...

    def stranger(self, user: str, comment: str) -> JobRef:
        """Let a user hand in a job past the operator."""
        ...

    def state(self, job: JobRef) -> str:
        """Return what slurmctld says of it."""
        ...

    def forget(self, job: JobRef) -> None:
        """Return when slurmctld has it no more."""
        ...

    def carrying(self, mark: str) -> int:
        """Count the jobs whose comment it is."""
        ...

    def without_slurmctld(self) -> AbstractContextManager[None]: ...

    def losing_answers(self) -> AbstractContextManager[None]:
        """Let sbatch do what it is asked, and say that it timed out."""
        ...


def fresh(script: str, **options: str | int | bool) -> Wanted:
    key = str(uuid4())
    return Wanted(key, f"{OF}{key}", script, ANN, options)


@dataclass
class FakeJobsSite:
    queue: FakeSlurmQueue = field(default_factory=FakeSlurmQueue)

    def __post_init__(self) -> None:
        self.jobs: Jobs = FakeJobs(self.queue)

    def again(self) -> Jobs:
        return FakeJobs(self.queue)

    def wanted(self, script: str = SLEEPS, **options: str | int | bool) -> Wanted:
        return fresh(script, **options)

    def until(self, job: JobRef, holds: Callable[[SeenJob], bool]) -> SeenJob:
        """Scripts do what they say."""
        for _ in range(3):
            seen = self.jobs.look_up([job.mark]).jobs[job.mark]
            if holds(seen):
                return seen
            self.queue.tick()
            for each in self.queue.jobs:
                _act(each)
        raise AssertionError(f"still not so: {seen}")

    def write_comment(self, job: JobRef, text: str) -> None:
        self._find(job).comment = text

    def stranger(self, user: str, comment: str) -> JobRef:
        made = self.queue.add(Wanted("", comment, SLEEPS, user))
        return JobRef(str(made.number), made.submitted, comment, user)

    def state(self, job: JobRef) -> str:
        return self._find(job).state.base

    def forget(self, job: JobRef) -> None:
        self._find(job).is_forgotten = True

    def carrying(self, mark: str) -> int:
        return len(self.queue.of_mark(mark))

    @contextmanager
    def without_slurmctld(self) -> Iterator[None]:
        self.queue.is_silent = True
        yield
        self.queue.is_silent = False

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.queue.loses_answers = True
        yield
        self.queue.loses_answers = False

    def _find(self, job: JobRef) -> FakeSlurmJob:
        found = self.queue.find(job.job_id)
        assert found is not None
        return found


def _act(job: FakeSlurmJob) -> None:
    if job.state.base != "RUNNING":
        return
    if job.wanted.script == FAILS:
        job.end("FAILED", 3)
        job.output = {"out": b"first\nlast\n", "err": b"why\n"}
    if job.wanted.script == IS_KILLED:
        job.end("FAILED", 0, 9)
    if "SLURM_ARRAY_TASK_ID" in job.wanted.script:
        states = ("COMPLETED", "FAILED", "RUNNING")
        job.tasks = {task: JobState(states[task]) for task in job.tasks}


@dataclass
class RealJobsSite:
    """`make` makes an operator's way to `lab`; `sbatch` changes what users' sbatch does."""

    lab: Cluster
    jobs: Jobs
    make: Callable[[], Jobs]
    sbatch: Callable[[str], None]
    home: str

    def again(self) -> Jobs:
        return self.make()

    def wanted(self, script: str = SLEEPS, **options: str | int | bool) -> Wanted:
        small = {"account": "physics", "mem": "10", "chdir": self.home}
        return fresh(script, **{**small, **options})

    def until(self, job: JobRef, holds: Callable[[SeenJob], bool]) -> SeenJob:
        last: list[SeenJob] = []

        def is_so() -> bool:
            found = self.jobs.look_up([job.mark]).jobs.get(job.mark)
            last.extend([found] if found else [])
            return found is not None and holds(found)

        assert eventually(is_so, SOON_S), last[-1:]
        return last[-1]

    def write_comment(self, job: JobRef, text: str) -> None:
        self.lab.must("scontrol", "update", f"JobId={job.job_id}", f"Comment={text}", user=job.user)

    def stranger(self, user: str, comment: str) -> JobRef:
        told = ("--output=/dev/null", f"--comment={comment}", "--mem=10", "--chdir=/tmp")
        number = str(self.lab.submit(user, "physics", "sleep 600", *told))
        return JobRef(number, None, comment, user)

    def state(self, job: JobRef) -> str:
        told = self.lab.must(
            "squeue", "--noheader", "--states=all", "--format=%T", "--jobs", job.job_id
        )
        return told.split()[0]

    def forget(self, job: JobRef) -> None:
        def is_gone() -> bool:
            done = self.lab.run("squeue", "--noheader", "--states=all", "--jobs", job.job_id)
            return "Invalid job id" in done.err or not done.out.strip()

        assert eventually(is_gone, SOON_S)

    def carrying(self, mark: str) -> int:
        listed = self.lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%k")
        return listed.splitlines().count(mark)

    @contextmanager
    def without_slurmctld(self) -> Iterator[None]:
        self.lab.stop_daemon("slurmctld")
        try:
            yield
        finally:
            self.lab.start_daemon("slurmctld")

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.sbatch(LOSES_ITS_ANSWER)
        try:
            yield
        finally:
            self.sbatch(HONEST)

    def clear(self) -> None:
        for user in (ANN, BOB):
            self.lab.must("scancel", f"--user={user}")
