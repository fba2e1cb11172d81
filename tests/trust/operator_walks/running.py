"""Operators between one Kubernetes and two Slurms in memory, which may be killed at any effect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.fakes.jobs import FakeJobs, FakeSlurmJob, FakeSlurmQueue
from tests.fakes.kube_jobs import KUBERNETES, FakeKube
from waldur_slurm.operator.config_map import CLUSTERS, CONFIG
from waldur_slurm.operator.errors import ChangedMeanwhile, KubeError, Silent
from waldur_slurm.operator.jobs.cycle import ClusterCycle, Turned
from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.operator.jobs.site import Site, Source
from waldur_slurm.operator.jobs.turning import Turning
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.telemetry.events import Event

_BOTH = "physics: {user: svc-physics, account: physics}, chem: {user: svc-chem}"


def _clusters(alpha: str, beta: str = "") -> str:
    entry = "{name}: {{url: 'https://{name}', default: {default}, namespaces: {{{those}}}}}\n"
    told = entry.format(name="alpha", default="true", those=alpha)
    return told + (entry.format(name="beta", default="false", those=beta) if beta else "")


WELL = "well"
CONFIGS: Mapping[str, str] = {
    WELL: _clusters(_BOTH, _BOTH),
    "chem is not let in": _clusters("physics: {user: svc-physics, account: physics}", _BOTH),
    "physics is somebody else": _clusters(
        "physics: {user: svc-new}, chem: {user: svc-chem}", _BOTH
    ),
    "no beta": _clusters(_BOTH),
    "no clusters at all": "{}",
    "no YAML": "alpha: [",
    "alpha is not understood": _clusters(_BOTH, _BOTH).replace("https://alpha", "7"),
}

WRITES = ("accept", "let_go", "patch_status", "tell", "keep", "forget_kept")
API_FAULTS: Mapping[str, tuple[KubeError, tuple[str, ...]]] = {
    "the API server is silent": (Silent("no answer"), (*WRITES, "read_kept", "read_config_map")),
    "the ConfigMap cannot be read": (Silent("no answer"), ("read_config_map",)),
    "all was changed meanwhile": (ChangedMeanwhile("409"), ("accept", "let_go")),
    "no status can be written": (Silent("no answer"), ("patch_status",)),
    "no event can be written": (Silent("no answer"), ("tell",)),
}
SLURM_FAULTS = ("is_silent", "loses_answers", "loses_requests")


class Killed(BaseException):
    """The operator was killed in this moment."""


@dataclass
class World:
    """What outlives every operator."""

    kube: FakeKube = field(default_factory=FakeKube)
    queues: Mapping[str, FakeSlurmQueue] = field(
        default_factory=lambda: {"alpha": FakeSlurmQueue(), "beta": FakeSlurmQueue()}
    )
    told: list[Event] = field(default_factory=list)

    @property
    def now(self) -> Any:
        return self.queues["alpha"].now

    def pass_by(self, seconds: float) -> None:
        for queue in self.queues.values():
            queue.now += timedelta(seconds=seconds)

    def say(self, config: str) -> None:
        self.kube.maps["slurm", "slurm-config"] = {CONFIG: "", CLUSTERS: CONFIGS[config]}

    def of(self, uid: str) -> list[tuple[str, FakeSlurmJob]]:
        """Return all jobs that were ever handed in for a SlurmJob, and where."""
        return [
            (name, job)
            for name, queue in self.queues.items()
            for job in queue.jobs
            if job.wanted.key == uid
        ]


class Mortal:
    """Whatever is done through it is counted; the operator dies before or after one of them."""

    def __init__(self, real: object, process: "Process") -> None:
        self._real = real
        self._process = process

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name.startswith(("read", "look", "list")):
            return real

        def done(*given: Any) -> Any:
            process = self._process
            process.left -= 1
            if process.left == 0 and process.dies_before:
                raise Killed
            answer = real(*given)
            if process.left == 0:
                raise Killed
            return answer

        return done


class Still(Turning):
    """Turns that are taken when the walk says so."""

    def __init__(self, name: str, end: Callable[[], object]) -> None:
        super().__init__(name, Turned, lambda: None, lambda _: None, tick_s=1)
        self._end = end

    def start(self) -> None:
        return

    def join(self) -> None:
        self._end()


class Process:
    """One operator; `left` effects before it is killed, never where it is 0 or less."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cycles: dict[str, ClusterCycle] = {}
        self.left = 0
        self.dies_before = False
        self.frozen: tuple[Snapshot, Any] | None = None
        """The store as of when its watch was cut half-open, and when that was."""
        source = Source("slurm", "slurm-config")
        self.site = Site(world.kube, source, self._begin, world.told.append)

    def turn(self) -> None:
        self.site.refresh()
        for cycle in [*self.cycles.values()]:
            cycle.turn()

    def freeze(self) -> None:
        self.frozen = self.frozen or (self.world.kube.snapshot(), self.world.now)

    def _begin(self, cluster: Cluster | None) -> Turning:
        name = cluster.name if cluster else ""
        jobs: Any = Mortal(FakeJobs(self.world.queues[name]), self) if name else None
        kube: Any = Mortal(self.world.kube, self)
        self.cycles[name] = ClusterCycle(
            name=name,
            kubernetes=KUBERNETES,
            jobs=jobs,
            kube=kube,
            read=self._snapshot,
            clusters=self.site.clusters,
            tell=self.world.told.append,
            now=lambda: self.world.now,
        )
        return Still(name, lambda: self.cycles.pop(name, None))

    def _snapshot(self) -> Snapshot:
        if self.frozen is None:
            return self.world.kube.snapshot()
        snapshot, since = self.frozen
        return Snapshot(snapshot.jobs, self.world.now - since)
