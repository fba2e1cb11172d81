"""A Slurm on which jobs run to their ends, and the accounting that remembers them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from tests.contract.batch_site import ACCOUNT, ANN, BOB, RealBatchSite, sheet
from tests.fakes.past import FakeHistory
from waldur_slurm.errors import TransportError
from waldur_slurm.model.batch import BatchSheet, JobId, Task, Verb
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.past import (
    Account,
    Membership,
    PastOutput,
    PastQuery,
    PastRun,
    PastStep,
    Person,
)
from waldur_slurm.slurm.past.client import HistoryClient
from waldur_slurm.slurm.past.port import History

LAB = ClusterName("lab")
SOON = "#!/bin/sh\n/bin/sleep 0.2\n"
IMPATIENCE = timedelta(seconds=1)


class PastSite(Protocol):
    history: History
    keeps_outputs: bool
    """Whether its accounting knows where jobs wrote."""

    def query(self) -> PastQuery:
        """Ask for the jobs of this test, which are all that there were in the last minutes."""
        ...

    def finish(
        self, user: UserName = ANN, *, name: str = "job", comment: str = "", array: str = ""
    ) -> JobId:
        """Run a job to its end; the accounting may hear of it later."""
        ...

    def run_twice(self) -> JobId:
        """Requeue a running job, and end its second run."""
        ...

    def submit(self) -> JobId:
        """Start a job, of which the accounting will hear later."""
        ...

    def settle(self) -> None:
        """Return when the accounting has heard of all jobs so far, and of their ends."""
        ...

    def down(self) -> AbstractContextManager[None]: ...

    def frozen(self) -> AbstractContextManager[None]: ...


class RealPastSite:
    def __init__(self, site: RealBatchSite) -> None:
        self.site = site
        self.machine = site.machine
        transport = site.site.transport
        self.client = HistoryClient(transport, LAB)
        self.history: History = self.client
        self.impatient = HistoryClient(transport, LAB, timeout=IMPATIENCE)
        self.keeps_outputs = "StdOut" in self.machine.must("sacct", "--helpformat").split()
        self.began = self._now()
        held = site.of(ANN).submit(sheet(hold=None)).id
        site.of(ANN).cancel([held])
        self.first = held.number
        self.awaited: dict[JobId, tuple[str, int]] = {}

    def query(self) -> PastQuery:
        until = self._now() + timedelta(seconds=1)
        return PastQuery(self.began - timedelta(minutes=5), until, first=self.first + 1)

    def finish(
        self, user: UserName = ANN, *, name: str = "job", comment: str = "", array: str = ""
    ) -> JobId:
        options = {**sheet().options, "job-name": name}
        options |= {"comment": comment} if comment else {}
        options |= {"array": array} if array else {}
        job = self.site.of(user).submit(BatchSheet(SOON, options)).id
        self.awaited[job] = ("COMPLETED", 2 if array else 1)
        return job

    def run_twice(self) -> JobId:
        job = self.site.of(ANN).submit(sheet()).id
        self.site.let_start(job)
        self.machine.must("sleep", "1.5")  # a run of less than a second has no time of its own
        self.site.of(ANN).control(Verb.REQUEUE, job)
        self.machine.must("sleep", "4")  # before, slurmctld is still ending the first run
        self.machine.must("scontrol", "update", f"JobId={job}", "StartTime=now")
        self.site.let_start(job)
        self.site.of(ANN).cancel([job])
        self.awaited[job] = ("CANCELLED", 1)
        return job

    def submit(self) -> JobId:
        job = self.site.of(ANN).submit(sheet()).id
        self.awaited[job] = ("RUNNING", 1)
        return job

    def settle(self) -> None:
        """A listing of a window has a job only when its time of eligibility has been told."""
        self.site.site.wait_until(lambda: all(map(self._is_told, self.awaited)))

    def down(self) -> AbstractContextManager[None]:
        return self.site.site.without("slurmdbd")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.machine.freeze("slurmdbd")
        self.history = self.impatient
        try:
            yield
        finally:
            self.history = self.client
            self.machine.thaw("slurmdbd")

    def _is_told(self, job: JobId) -> bool:
        state, count = self.awaited[job]
        argv = ("sacct", "-aXDnP", "-S", "now-1hour", "-o", "jobid,state")
        rows = (row.partition("|") for row in self.machine.must(*argv).splitlines())
        own = (said for name, _, said in rows if name.partition("_")[0] == str(job))
        return sum(said.startswith(state) for said in own) >= count

    def _now(self) -> datetime:
        return datetime.fromtimestamp(int(self.machine.must("date", "+%s")), UTC)


class FakePastSite:
    keeps_outputs = True

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
        self.number = 0
        self.fake = FakeHistory(
            people=(Person(ANN, AccountName(ACCOUNT), "None"), Person(BOB, None, "None")),
            accounts=(
                Account(AccountName("root"), None),
                Account(AccountName(ACCOUNT), AccountName("root")),
            ),
            memberships=tuple(
                Membership(number, AccountName(ACCOUNT), user, "", ("normal",))
                for number, user in enumerate((ANN, BOB), 1)
            ),
        )
        self.history: History = self.fake

    def query(self) -> PastQuery:
        return PastQuery(self.now - timedelta(hours=1), self.now + timedelta(hours=1))

    def finish(
        self, user: UserName = ANN, *, name: str = "job", comment: str = "", array: str = ""
    ) -> JobId:
        job = self._number()
        tasks = (1, 2) if array else (None,)
        for task in tasks:
            each = job if task is None else JobId(job.number, Task(task))
            self.fake.runs.append(self._run(each, user, "COMPLETED", name, comment))
        self.fake.steps.append(self._step(job))
        self.fake.outputs.append(PastOutput(job, self.now, "/dev/null", ""))
        return job

    def run_twice(self) -> JobId:
        job = self._number()
        first = self._run(job, ANN, "REQUEUED", "job", "")
        second = self._run(job, ANN, "CANCELLED", "job", "")
        self.fake.runs += [replace(first, end=second.submitted), second]
        return job

    def submit(self) -> JobId:
        job = self._number()
        self.fake.unheard.append(self._run(job, ANN, "RUNNING", "job", ""))
        return job

    def settle(self) -> None:
        self.fake.settle()

    @contextmanager
    def down(self) -> Iterator[None]:
        self.fake.go_down()
        yield
        self.fake.come_back()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.fake.go_down(TransportError("sacct did not end within 1 s and was killed"))
        yield
        self.fake.come_back()

    def _number(self) -> JobId:
        self.number += 1
        return JobId(self.number)

    def _run(self, job: JobId, user: UserName, state: str, name: str, comment: str) -> PastRun:
        self.now += timedelta(seconds=10)
        end = None if state == "RUNNING" else self.now + timedelta(seconds=2)
        return PastRun(
            id=job, state=JobState(state), user=user, account=AccountName(ACCOUNT),
            association=1, partition="main", qos="normal", submitted=self.now, eligible=self.now,
            start=self.now, end=end, elapsed_s=2, limit_s=None, exit=ExitCode(0, 0), node_count=1,
            cpus=1, hosts="n1", allocated={}, requested={}, name=name, comment=comment,
            work_dir="/tmp",  # noqa: S108 - where everybody may write
        )  # fmt: skip

    def _step(self, job: JobId) -> PastStep:
        state = JobState("COMPLETED")
        return PastStep(job, "batch", state, self.now, self.now, 2, 1, 1, 0.1, None, None, None)
