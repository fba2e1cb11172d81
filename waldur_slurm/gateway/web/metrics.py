"""`/metrics`: the clusters as they were seen last, and how the gateway itself is doing.

Nothing is asked for a scrape that clients would not be shown as well: pictures that are fresh cost
nothing. Of a Slurm that is silent the last figures are left out, not shown as if they were true.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.responses import Response

from waldur_slurm import __version__
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.counts import JobCounts, NodeCounts, count_jobs, count_nodes
from waldur_slurm.gateway.web.ask import Ask, Site
from waldur_slurm.gateway.web.watch_metrics import about_watching
from waldur_slurm.model.cluster import Statistics

Counted = Mapping[Any, int]


async def show_metrics(ask: Ask) -> Response:
    found: list[Metric] = [_about_itself()]
    for cluster in ask.site.clusters.values():
        found += await _about_cluster(ask, cluster)
    found += await about_watching(ask)
    found += [*_about_readings(ask.site), *_about_lanes(ask.site), *_about_answers(ask.site)]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ready(_joined(found)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Ready(Collector):
    """Hands out what was collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _joined(metrics: Iterable[Metric]) -> Iterable[Metric]:
    """Put what several clusters say of one thing together."""
    by_name: dict[str, Metric] = {}
    for metric in metrics:
        known = by_name.setdefault(metric.name, metric)
        if known is not metric:
            known.samples.extend(metric.samples)
    return by_name.values()


def _about_itself() -> Metric:
    info = GaugeMetricFamily("slurm_gateway_info", "The gateway's release", labels=["version"])
    info.add_metric([__version__], 1)
    return info


async def _about_cluster(ask: Ask, cluster: ClusterPictures) -> list[Metric]:
    found: list[Metric] = []
    is_up = True
    try:
        jobs = await ask.see(cluster.jobs)
        found += _of_jobs(cluster.name, count_jobs(jobs.picture.value.jobs))
        found.append(_unreadable(cluster.name, len(jobs.picture.value.unreadable)))
        nodes = await ask.see(cluster.nodes)
        found += _of_nodes(cluster.name, count_nodes(nodes.picture.value))
        is_up = not (jobs.silence or nodes.silence)
    except NotNow:
        is_up = False
    up = GaugeMetricFamily("slurm_up", "Whether Slurm answers", labels=["cluster"])
    up.add_metric([cluster.name], int(is_up))
    return [up, *found, *await _counted_by_slurmctld(ask, cluster)] if is_up else [up]


async def _counted_by_slurmctld(ask: Ask, cluster: ClusterPictures) -> list[Metric]:
    """A sdiag that alone is silent leaves all else as it is."""
    try:
        seen = await ask.see(cluster.statistics)
    except NotNow:
        return []
    return [] if seen.silence else [*_of_slurmctld(cluster.name, seen.picture.value)]


def _of_jobs(cluster: str, counts: JobCounts) -> Iterator[Metric]:
    yield _gauge("slurm_jobs", "Jobs by state", cluster, ["state"], counts.by_state)
    for name, counted in (
        ("user", counts.by_user),
        ("account", counts.by_account),
        ("partition", counts.by_partition),
    ):
        says = f"Jobs by {name} and state"
        yield _gauge(f"slurm_{name}_jobs", says, cluster, [name, "state"], counted)


def _of_nodes(cluster: str, counts: NodeCounts) -> Iterator[Metric]:
    yield _gauge("slurm_nodes", "Nodes by state", cluster, ["state"], counts.nodes)
    for name, counted in (
        ("cpus", counts.cpus),
        ("memory_mib", counts.memory_mib),
        ("gpus", counts.gpus),
    ):
        says = f"{name} by the state of their nodes, allocated or free"
        yield _gauge(f"slurm_{name}", says, cluster, ["state", "use"], counted)
    says, labels = "Nodes by partition and state", ["partition", "state"]
    yield _gauge("slurm_partition_nodes", says, cluster, labels, counts.by_partition)
    says, labels = "CPUs by partition, allocated or free", ["partition", "use"]
    yield _gauge("slurm_partition_cpus", says, cluster, labels, counts.cpus_by_partition)


def _of_slurmctld(cluster: str, told: Statistics) -> Iterator[Metric]:
    """Counters keep Slurm's own names; Slurm itself begins them anew each day."""
    for name, says, counted in (
        ("slurmctld", "What slurmctld counts", told.counters),
        ("main_schedule", "What its main scheduler counts", told.main_schedule),
        ("backfill", "What its backfill scheduler counts", told.backfill),
    ):
        yield _gauge(f"slurm_{name}", says, cluster, ["counter"], counted)
    count = {each.name: each.count for each in told.by_message}
    took = {each.name: each.total_us for each in told.by_message}
    yield _gauge("slurm_messages", "What slurmctld was asked", cluster, ["message"], count)
    says = "Microseconds that its answers took it"
    yield _gauge("slurm_messages_microseconds", says, cluster, ["message"], took)


def _unreadable(cluster: str, count: int) -> Metric:
    says = "Jobs whose rows are not understood"
    return _gauge("slurm_unreadable_jobs", says, cluster, [], {(): count})


def _gauge(name: str, says: str, cluster: str, labels: list[str], counted: Counted) -> Metric:
    made = GaugeMetricFamily(name, says, labels=["cluster", *labels])
    for key, count in counted.items():
        made.add_metric([cluster, *([key] if isinstance(key, str) else key)], count)
    return made


def _about_readings(site: Site) -> Iterator[Metric]:
    labels = ["cluster", "thing"]
    readings = CounterMetricFamily(
        "slurm_gateway_readings", "How often Slurm was asked", labels=labels
    )
    took = GaugeMetricFamily(
        "slurm_gateway_reading_seconds", "How long the last reading took", labels=labels
    )
    taken = GaugeMetricFamily(
        "slurm_gateway_picture_timestamp_seconds", "When the last one began", labels=labels
    )
    for cluster in site.clusters.values():
        for keeper in cluster.all:
            named = [cluster.name, keeper.thing]
            readings.add_metric(named, keeper.readings)
            if keeper.last is not None:
                took.add_metric(named, keeper.last.took_s)
                taken.add_metric(named, keeper.last.as_of.timestamp())
    yield from (readings, took, taken)


def _about_lanes(site: Site) -> Iterator[Metric]:
    busy = GaugeMetricFamily("slurm_gateway_lane_busy", "Places taken", labels=["lane"])
    waiting = GaugeMetricFamily("slurm_gateway_lane_waiting", "Who waits", labels=["lane"])
    for lane in site.crossing.lanes:
        busy.add_metric([lane.name], lane.busy)
        waiting.add_metric([lane.name], lane.waiting)
    bodies = GaugeMetricFamily("slurm_gateway_bodies_bytes", "Ready answers that are kept")
    bodies.add_metric([], site.bodies.size)
    yield from (busy, waiting, bodies)


def _about_answers(site: Site) -> Iterator[Metric]:
    answers = CounterMetricFamily(
        "slurm_gateway_requests", "Requests that were answered", labels=["status"]
    )
    for status, count in sorted(site.tally.answers.items()):
        answers.add_metric([status], count)
    crashes = CounterMetricFamily("slurm_gateway_crashes", "Defects that were met", labels=["of"])
    for of, count in site.tally.crashes.items():
        crashes.add_metric([of], count)
    yield from (answers, crashes)
