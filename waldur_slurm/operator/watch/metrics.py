"""The metrics: acts and turns counted as they are told, SlurmJobs as they stand when it is asked.

A label is a cluster's name or one of few constant words: never a namespace, a user or a text.
"""

from collections import Counter as Counts
from collections.abc import Callable, Collection, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.telemetry.events import Event, Level

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

ACTS = {
    "slurmjob.submitted": "submitted",
    "slurmjob.refused": "refused",
    "slurmjob.steered": "steered",
    "slurmjob.cancelled": "cancelled",
    "slurmjob.let_go": "let_go",
    "companion.made": "companion_made",
    "stray.cancelled": "stray_cancelled",
}
"""What is done for SlurmJobs, by the event that tells it."""

GRAVE = ("cluster.crashed", "slurmjob.crashed", "kube.crashed", "stray.many")
"""What alerts ask for, and hardly ever happens."""

PHASES = ("Pending", "Submitted", "Running", "Succeeded", "Failed", "Cancelled", "Unknown")
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """A sink that counts; `exposition` is what Prometheus reads."""

    def __init__(
        self,
        version: str,
        read: Callable[[], Snapshot | None],
        clusters: Callable[[], Collection[str]],
    ) -> None:
        """`read` tells of the SlurmJobs that are known; None before any was heard of."""
        # Otherwise the library adds a `_created` series, which nobody reads, to each counter.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library forgot to say
        self._registry = CollectorRegistry()
        self._registry.register(_Standing(read, clusters))
        ProcessCollector(registry=self._registry)
        Info("slurm_operator", "The operator.", registry=self._registry).info({"version": version})
        self._acts = self._counter("acts", "What was done for SlurmJobs.", "act")
        self._turns = Histogram(
            "slurm_operator_turn_seconds",
            "Turns of clusters; crashed: a defect ended it.",
            ("cluster", "outcome"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._lookups = self._counter(
            "lookups", "Readings of all jobs of a cluster at once.", "cluster", "outcome"
        )
        self._unknown = self._gauge(
            "unknown_jobs", "SlurmJobs of which the last reading could not say anything.", "cluster"
        )
        self._silent = self._gauge(
            "cluster_silent", "Whether a cluster did not answer the last reading.", "cluster"
        )
        self._events = self._counter(
            "events", "The log from INFO on, by its constant names.", "event", "level"
        )
        for act in ACTS.values():  # from zero, so that the first one shows as an increase
            self._acts.labels(act)
        for name in GRAVE:
            self._events.labels(name, Level.ERROR.name.lower())

    def __call__(self, event: Event) -> None:
        if event.level >= Level.INFO:
            self._events.labels(event.name, event.level.name.lower()).inc()
        match event:
            case Event(name="turn.ended", fields={"cluster": str(cluster), "seconds": float(s)}):
                self._turns.labels(cluster, str(event.fields["outcome"])).observe(s)
            case Event(name="jobs.looked_up", fields={"cluster": str(cluster), "unknown": int(n)}):
                is_silent = bool(event.fields["is_silent"])
                self._lookups.labels(cluster, "silent" if is_silent else "answered").inc()
                self._unknown.labels(cluster).set(n)
                self._silent.labels(cluster).set(is_silent)
            case Event(name=name) if name in ACTS:
                self._acts.labels(ACTS[name]).inc()
            case _:
                pass

    def exposition(self) -> bytes:
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"slurm_operator_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"slurm_operator_{name}", text, labels, registry=self._registry)


class _Standing(Collector):
    """Shows the SlurmJobs whole, so that nothing of those that are gone is left over."""

    def __init__(
        self, read: Callable[[], Snapshot | None], clusters: Callable[[], Collection[str]]
    ) -> None:
        self._read = read
        self._clusters = clusters

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        snapshot = self._read()
        if snapshot is None:
            return
        says = "For how long nothing was heard of the API server."
        age = GaugeMetricFamily("slurm_operator_store_age_seconds", says)
        age.add_metric([], snapshot.age.total_seconds())
        jobs = GaugeMetricFamily(
            "slurm_operator_jobs", "SlurmJobs by cluster and phase.", labels=["cluster", "phase"]
        )
        for (cluster, phase), count in sorted(_counted(snapshot, self._clusters()).items()):
            jobs.add_metric([cluster, phase], count)
        yield from (age, jobs)


def _counted(snapshot: Snapshot, clusters: Collection[str]) -> Counts[tuple[str, str]]:
    """Others may write a status: what is no phase is Unknown, what is no cluster has no name."""
    counts: Counts[tuple[str, str]] = Counts()
    for job in snapshot.jobs:
        phase = job.status.get("phase") or "Pending"
        counts[
            job.place if job.place in clusters else "", phase if phase in PHASES else "Unknown"
        ] += 1
    return counts
