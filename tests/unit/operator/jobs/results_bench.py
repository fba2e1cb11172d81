"""One cluster's cycle that has companions, with pods in memory."""

from typing import Any

from tests.fakes.pods import FakePods
from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.companion import Means
from waldur_slurm.operator.jobs.cycle import ClusterCycle
from waldur_slurm.operator.model.collected import CollectedFile, collected

CLAIM = {"persistentVolumeClaim": {"claimName": "data"}}
RESULTS: dict[str, Any] = {"from": "out/*.csv", "mount": CLAIM}
DONE = collected([CollectedFile("out/a.csv", 2, "a" * 64)])
POD = "cow-job"


class ResultsBench(Bench):
    """One with pods."""

    def __init__(self) -> None:
        self.pods = FakePods()
        super().__init__()

    def new_cycle(self, name: str = "alpha") -> ClusterCycle:
        cycle = super().new_cycle(name)
        means = Means("slurm-operator:1", "https://login1:8443")
        cycle.collector = Collector(self.pods, name, lambda: means, lambda: self.queue.now)
        return cycle

    def said(self, uid: str) -> tuple[str, str] | None:
        return self.kube.condition(uid, "ResultsCollected")

    def with_companion(self) -> tuple[str, Any]:
        """Return a job that runs, and has a companion that follows it."""
        uid, job = self.running(results=RESULTS)
        self.turn()
        self.pods.runs(POD)
        return uid, job
