"""Keeps as many cycles going as the ConfigMap names clusters, and one for what belongs to none.

A ConfigMap that cannot be read changes nothing, and neither does an entry that is not understood.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from waldur_slurm.operator.config_map import CLUSTERS, CONFIG, SlurmConfig, read_config
from waldur_slurm.operator.errors import KubeError
from waldur_slurm.operator.jobs.turning import Turning
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.telemetry.events import Event, Level, Sink

NOWHERE = ""
"""The cycle of those that no cluster looks after."""


class ReadsConfig(Protocol):
    def read_config_map(self, namespace: str, name: str) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Which ConfigMap."""

    namespace: str
    name: str


class Site:
    """`begin` makes the turns of a cluster; of none, where it is given None."""

    def __init__(
        self,
        kube: ReadsConfig,
        source: Source,
        begin: Callable[[Cluster | None], Turning],
        tell: Sink,
    ) -> None:
        self._kube = kube
        self._source = source
        self._begin = begin
        self._tell = tell
        self._clusters: Mapping[str, Cluster] | None = None
        self._turnings: dict[str, Turning] = {}
        self._told: frozenset[str] = frozenset()

    def clusters(self) -> Mapping[str, Cluster]:
        return self._clusters or {}

    def wake(self) -> None:
        for turning in tuple(self._turnings.values()):
            turning.wake()

    def refresh(self) -> bool:
        """Read the ConfigMap, and follow it; returns whether it could be read and has no fault."""
        try:
            found = self._kube.read_config_map(self._source.namespace, self._source.name)
        except KubeError as error:
            return self._tell_of({f"no cluster is changed: {error}"})
        config = read_config(found)
        self._follow(_with_doubtful(config, self.clusters()))
        key = CLUSTERS if CLUSTERS in found else CONFIG
        return self._tell_of({str(each) for each in config.findings if each.key == key})

    def leave(self) -> None:
        for turning in self._turnings.values():
            turning.leave()
        for turning in self._turnings.values():
            turning.join()
        self._turnings.clear()

    def _follow(self, clusters: Mapping[str, Cluster]) -> None:
        before = self._clusters
        if before == clusters:
            return
        self._clusters = clusters
        gone = [
            name
            for name, cluster in (before or {}).items()
            if name not in clusters or clusters[name].by != cluster.by
        ]
        for name in gone:
            turning = self._turnings.pop(name)
            turning.leave()
            turning.join()
        for each in (None, *clusters.values()):
            self._begin_one(each)
        self.wake()
        self._tell(Event(name="clusters.read", fields={"clusters": sorted(clusters)}))

    def _begin_one(self, cluster: Cluster | None) -> None:
        name = cluster.name if cluster else NOWHERE
        if name not in self._turnings:
            self._turnings[name] = self._begin(cluster)
            self._turnings[name].start()

    def _tell_of(self, troubles: set[str]) -> bool:
        """Say what is new of them; return whether there are none."""
        for trouble in sorted(troubles - self._told):
            source = f"{self._source.namespace}/{self._source.name}"
            fields = {"config_map": source, "what": trouble}
            self._tell(Event(name="config.trouble", level=Level.WARNING, fields=fields))
        self._told = frozenset(troubles)
        return not troubles


def _with_doubtful(config: SlurmConfig, before: Mapping[str, Cluster]) -> Mapping[str, Cluster]:
    """Keep what was known of an entry that is not understood any more."""
    kept = {name: before[name] for name in config.doubtful_clusters if name in before}
    return {**kept, **config.clusters} if config.says_of_clusters else before
