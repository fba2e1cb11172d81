"""One cluster's cycle between a Kubernetes and a Slurm in memory."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.jobs import FakeJobs, FakeSlurmJob, FakeSlurmQueue
from tests.fakes.kube_jobs import KUBERNETES, FakeKube
from waldur_slurm.operator.jobs.cycle import ClusterCycle
from waldur_slurm.operator.jobs.port import JobRef, OutcomeUnknown, Wanted
from waldur_slurm.operator.model.cluster import ByGateway, Cluster, RunsAs
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.telemetry.events import Event

GATEWAY = ByGateway("https://login1:8443")
PHYSICS = RunsAs("svc-physics", "physics")
ALPHA = Cluster("alpha", GATEWAY, is_default=True, namespaces={"physics": PHYSICS})


@dataclass
class Bench:
    kube: FakeKube = field(default_factory=FakeKube)
    queue: FakeSlurmQueue = field(default_factory=FakeSlurmQueue)
    clusters: dict[str, Cluster] = field(default_factory=lambda: {"alpha": ALPHA})
    told: list[Event] = field(default_factory=list)
    jobs: FakeJobs | None = None
    """A way to the queue that is not always so good."""

    def __post_init__(self) -> None:
        self.cycle = self.new_cycle()

    def new_cycle(self, name: str = "alpha") -> ClusterCycle:
        """Make one that remembers nothing."""
        return ClusterCycle(
            name=name,
            kubernetes=KUBERNETES,
            jobs=(self.jobs or FakeJobs(self.queue)) if name else None,
            kube=self.kube,
            read=self.kube.snapshot,
            clusters=lambda: self.clusters,
            tell=self.told.append,
            now=lambda: self.queue.now,
        )

    def restart(self) -> None:
        self.cycle = self.new_cycle()

    def by_a_way_that_loses(self, *, after: bool, times: int = 1) -> None:
        self.jobs = Losing(self.queue, after=after, times=times)
        self.restart()

    def turn(self, times: int = 1, *, after: float = 5.0) -> None:
        """Let so many seconds pass, and then it is its turn."""
        for _ in range(times):
            self.queue.now += timedelta(seconds=after)
            self.cycle.turn()

    def submitted(self, **spec: Any) -> tuple[str, FakeSlurmJob]:
        """Return a SlurmJob and its job, which waits in Slurm."""
        uid = self.kube.apply(**spec)
        self.turn()
        return uid, self.slurm_job(uid)

    def running(self, **spec: Any) -> tuple[str, FakeSlurmJob]:
        uid, job = self.submitted(**spec)
        self.queue.tick()
        self.turn()
        return uid, job

    def slurm_job(self, uid: str) -> FakeSlurmJob:
        (job,) = self.queue.of_mark(Identity(KUBERNETES, uid).mark)
        return job

    def phase(self, uid: str) -> tuple[str, str]:
        found = self.kube.status(uid)
        return found.get("phase", ""), found.get("reason", "")

    def names(self) -> list[str]:
        return [event.name for event in self.told]

    @property
    def now(self) -> datetime:
        return self.queue.now

    def let_in(self, **changed: object) -> None:
        """Change what the site says of cluster alpha."""
        self.clusters["alpha"] = replace(self.clusters["alpha"], **changed)  # type: ignore[arg-type]  # a typo fails at once


class Losing(FakeJobs):
    """A way on which a submission is lost so many times, before Slurm or after it."""

    def __init__(self, queue: FakeSlurmQueue, *, after: bool, times: int = 1) -> None:
        super().__init__(queue)
        self.after = after
        self.left = times

    def submit(self, wanted: Wanted) -> JobRef:
        if self.left:
            self.left -= 1
            if self.after:
                super().submit(wanted)
            raise OutcomeUnknown("Socket timed out on send/recv operation")
        return super().submit(wanted)
