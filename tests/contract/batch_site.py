"""A Slurm that users submit to: what is true of its queue is asked of it, not of our own words."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import Protocol

from sandbox.docker.cluster import ContainerCluster
from tests.contract.site import PEOPLE, RealSite
from tests.fakes.batch import FakeBatch, FakeQueue
from tests.fakes.transport import LesserTransport
from waldur_slurm.model.batch import BatchSheet, JobId
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.batch.port import Batch
from waldur_slurm.slurm.batch.variables import ShellVariables
from waldur_slurm.slurm.tools import Tools
from waldur_slurm.slurm.transports.docker import DockerTransport

ANN, BOB, EVE = PEOPLE
ACCOUNT, FULL = "batch", "batchfull"
IMPATIENCE = timedelta(seconds=1)
SLEEP = "#!/bin/sh\nsleep 300\n"


def sheet(**options: str | None) -> BatchSheet:
    """A small job of the tests' account; `_` in a name stands for a hyphen."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    return BatchSheet(
        SLEEP,
        {"account": ACCOUNT, "mem": "10", "output": "/dev/null", "chdir": "/tmp", **given},  # noqa: S108 - where everybody may write
    )


class BatchSite(Protocol):
    """A queue with two users, and what an administrator sees of it."""

    def of(self, user: str) -> Batch: ...

    def states(self) -> dict[str, str]:
        """Every job's state by its number, and `hold` beside it where it is held."""
        ...

    def let_start(self, job: JobId) -> None:
        """Return when it runs."""
        ...

    def down(self) -> AbstractContextManager[None]: ...

    def losing_answers(self) -> AbstractContextManager[None]:
        """Let what is asked be heard, but not be answered."""
        ...


class RealBatchSite:
    def __init__(self, site: RealSite) -> None:
        self.site = site
        self.machine = site.machine
        self.timeout: timedelta | None = None
        self.stack = ExitStack()
        for account in (ACCOUNT, FULL):
            self.machine.run("sacctmgr", "-i", "add", "account", account, "cluster=lab")
            people = f"{ANN},{BOB}" if account == ACCOUNT else str(ANN)
            self.machine.run(
                "sacctmgr", "-i", "add", "user", people, f"account={account}", "cluster=lab"
            )
        self.site.hand("modify", "account", FULL, "set", "GrpSubmitJobs=0")

    def of(self, user: str) -> SlurmBatch:
        return SlurmBatch(
            ShellVariables(self.as_user(user)), Tools(self.site.transport), timeout=self.timeout
        )

    def as_user(self, user: str) -> Transport:
        if isinstance(self.site.transport, DockerTransport):
            assert isinstance(self.machine, ContainerCluster)
            transport = DockerTransport(self.machine.container, user=user)
            self.stack.callback(transport.close)
            return transport
        return LesserTransport(self.site.transport, user)

    def states(self) -> dict[str, str]:
        listing = self.machine.must("squeue", "--noheader", "--array", "--format=%i %T %r")
        rows = (line.split() for line in listing.splitlines())
        return {row[0]: "HELD" if row[2] == "JobHeldUser" else row[1] for row in rows}

    def let_start(self, job: JobId) -> None:
        self.site.wait_until(lambda: self.states().get(str(job)) == "RUNNING")

    def down(self) -> AbstractContextManager[None]:
        return self.site.without("slurmctld")

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.machine.freeze("slurmctld")
        self.timeout = IMPATIENCE
        try:
            yield
        finally:
            self.timeout = None
            self.machine.thaw("slurmctld")

    def clear(self) -> None:
        self.stack.close()
        self.machine.must("scancel", f"--user={ANN}")
        self.machine.must("scancel", f"--user={BOB}")
        self.site.wait_until(lambda: self.states() == {})


class FakeBatchSite:
    def __init__(self) -> None:
        self.queue = FakeQueue(accounts={ANN: {ACCOUNT, FULL}, BOB: {ACCOUNT}}, full={FULL})

    def of(self, user: str) -> FakeBatch:
        return FakeBatch(self.queue, user)

    def states(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for job in self.queue.jobs:
            held = job.state == "PENDING" and "hold" in job.sheet.options
            array = job.sheet.options.get("array")
            names = [str(job.number)]
            if array:
                first, _, last = array.partition("-")
                tasks = map(str, range(int(first), int(last) + 1))
                names = [f"{job.number}_{t}" for t in tasks if t not in job.gone_tasks]
            if not job.is_over:
                found |= dict.fromkeys(names, "HELD" if held else job.state)
        return found

    def let_start(self, job: JobId) -> None:  # noqa: ARG002 - all that may start do
        self.queue.tick()

    @contextmanager
    def down(self) -> Iterator[None]:
        self.queue.is_down = True
        yield
        self.queue.is_down = False

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        self.queue.loses_answers = True
        yield
        self.queue.loses_answers = False
