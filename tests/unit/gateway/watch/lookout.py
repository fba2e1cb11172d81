"""A watch over a cluster and an accounting in memory."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.fakes.cluster import FakeCluster
from tests.fakes.monitors import FakeMonitors
from tests.fakes.past import FakeHistory
from tests.unit.gateway.watch.monitors import NOW
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.watch.cycle import Watch
from waldur_slurm.gateway.watch.monitor import Monitor, Stage
from waldur_slurm.gateway.watch.plan import Rules
from waldur_slurm.gateway.watch.reading import Reader
from waldur_slurm.telemetry.events import Event

INTERVAL_S = 600.0
RULES = Rules(max_age=timedelta(days=14), forgotten_after=timedelta(seconds=INTERVAL_S))


@dataclass
class Post:
    """A watch over a cluster and an accounting in memory; a test lets time pass."""

    monitors: FakeMonitors = field(default_factory=FakeMonitors)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    history: FakeHistory = field(default_factory=FakeHistory)
    told: list[Event] = field(default_factory=list)
    passed: timedelta = timedelta(0)
    steps: timedelta = timedelta(0)
    """By what the time of day was set, and no monotonic clock."""

    def __post_init__(self) -> None:
        self.cluster.configuration["AccountingStorageType"] = "accounting_storage/slurmdbd"
        self.pictures = ClusterPictures(
            "lab", self.cluster, self.history, self.told.append, clock=self.clock
        )
        self.pictures.hidden = ()
        self.watch = Watch(
            "lab",
            self.monitors,
            Reader(self.pictures, self.now),
            self.told.append,
            RULES,
            INTERVAL_S,
            now=self.now,
            clock=self.clock,
        )

    def now(self) -> datetime:
        return NOW + self.passed + self.steps

    def clock(self) -> float:
        return time.monotonic() + self.passed.total_seconds()

    def show(self) -> None:
        """Let somebody else see a list of now."""
        self.pictures.jobs.shown(younger_than=self.clock())

    def add(self, *monitors: Monitor) -> None:
        for each in monitors:
            self.monitors.add(each)

    def wait(self, seconds: float = INTERVAL_S) -> None:
        self.passed += timedelta(seconds=seconds)

    def look(self) -> float:
        """Let an interval pass, and look."""
        self.wait()
        return self.watch.step()

    def stage(self, monitor_id: str = "m") -> Stage:
        return self.monitors.kept[monitor_id].stage

    def events(self, name: str) -> list[Event]:
        return [event for event in self.told if event.name == name]

    @property
    def letters(self) -> list[str]:
        return sorted(self.monitors.outbox.kept)
