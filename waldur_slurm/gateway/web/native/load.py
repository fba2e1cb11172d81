"""How full a cluster is and was: partitions by nodes now, and the archive of its load."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, NamedTuple

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import NotThere, WrongAsk
from waldur_slurm.gateway.load.plan import DAY_S, Span
from waldur_slurm.gateway.load.sample import Sample, partition_sample
from waldur_slurm.gateway.load.usage import PartitionUse, Usage, usage_of
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.answers import JSON, from_picture
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_time
from waldur_slurm.gateway.web.native.spelling import Since, Until
from waldur_slurm.gateway.wire_cluster import CellView, RowView, UsageAnswer
from waldur_slurm.model.cluster import Node

MOST_POINTS = 5000


class LoadQuery(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """The last day by default. `step`: so many seconds are one point, their mean."""

    since: Since = ""
    until: Until = ""
    step: Annotated[int, msgspec.Meta(ge=1, le=31 * DAY_S)] = 60


class PartitionPoint(msgspec.Struct, frozen=True):
    load: float
    cpus_held: float
    mem_mb_held: float


class LoadPoint(msgspec.Struct, frozen=True):
    """The mean of `samples` samples from `at` on. Where there is none, there is no point."""

    at: datetime
    samples: int
    load: float
    cpus: float
    cpus_allocated: float
    mem_mb: float
    mem_mb_allocated: float
    partitions: dict[str, PartitionPoint]


class LoadAnswer(msgspec.Struct, frozen=True):
    cluster: str
    since: datetime
    until: datetime
    step: int
    points: tuple[LoadPoint, ...]


class UsageNow(NamedTuple):
    """`name` changes with any of the readings that `add_up` puts together, which takes a while."""

    seen: Seen[tuple[Node, ...]]
    name: str
    add_up: Callable[[], UsageAnswer]


async def show_usage(ask: Ask) -> Response:
    now = await see_usage(ask)

    def make() -> bytes:
        return msgspec.json.encode(now.add_up())

    return await from_picture(ask, now.seen, now.name, make, is_shared=True)


async def see_usage(ask: Ask) -> UsageNow:
    """Four readings, each as old as its thing may be; the answer's age is that of the nodes."""
    cluster = ask.cluster
    jobs, details = await ask.see(cluster.jobs), await ask.see(cluster.details)
    rows, seen = await ask.see(cluster.partitions), await ask.see(cluster.nodes)

    def add_up() -> UsageAnswer:
        usage = usage_of(
            rows.picture.value,
            seen.picture.value,
            jobs.picture.value.jobs,
            details.picture.value,
        )
        return _usage_answer(cluster.name, seen.picture.as_of, usage)

    others: tuple[Seen[object], ...] = (jobs, details, rows)
    name = "usage " + " ".join(str(each.picture.generation) for each in others)
    return UsageNow(seen, name, add_up)


def _usage_answer(cluster: str, as_of: datetime, usage: Usage) -> UsageAnswer:
    return UsageAnswer(cluster, as_of, usage.load, tuple(map(_row, usage.partitions)))


def _row(use: PartitionUse) -> RowView:
    sums = partition_sample(use)
    return RowView(
        partition=use.partition.name,
        state=sums.state,
        load=sums.partition_load,
        cpus=sums.total_cpus,
        cpus_held=sums.alloc_cpus,
        cpus_used=sums.total_used_cpus_on_active_nodes,
        mem_mb=sums.total_mem,
        mem_mb_held=sums.alloc_mem,
        mem_mb_used=sums.total_used_mem_on_active_nodes,
        nodes=tuple(
            CellView(
                cell.node.name, cell.held.cpus, cell.held.memory_mib, cell.held.jobs, cell.load
            )
            for cell in use.own
        ),
    )


async def show_load(ask: Ask) -> Response:
    answer = await find_load(ask, ask.query(LoadQuery))
    return Response(await ask.site.crossing.bodies.run(lambda: _written(answer)), media_type=JSON)


def _written(answer: LoadAnswer) -> bytes:
    return msgspec.json.encode(answer)


async def find_load(ask: Ask, query: LoadQuery) -> LoadAnswer:
    archive, name = ask.site.restapi.archive, ask.cluster.name
    if archive is None:
        raise NotThere("this gateway keeps no archive of the load; see GATEWAY_LOAD_ARCHIVE")
    until = read_time(query.until) if query.until else datetime.now(UTC)
    begin = read_time(query.since).timestamp() if query.since else until.timestamp() - DAY_S
    span = Span(int(begin), int(until.timestamp()))
    if span.begin >= span.end:
        raise WrongAsk("from: expected a time before `to`")
    if (span.end - span.begin) // query.step > MOST_POINTS:
        raise WrongAsk(f"step: more than {MOST_POINTS} points would come back; take longer steps")

    def read() -> LoadAnswer:
        return LoadAnswer(
            cluster=name,
            since=datetime.fromtimestamp(span.begin, UTC),
            until=datetime.fromtimestamp(span.end, UTC),
            step=query.step,
            points=tuple(points(archive.read(name, span), query.step)),
        )

    return await ask.site.crossing.store.run(read)


def points(samples: Iterable[Sample], step: int) -> Iterator[LoadPoint]:
    """Thin them out: one point a step that has any, in their order."""
    for slot, group in groupby(samples, lambda sample: sample.time // step):
        yield _point(slot * step, tuple(group))


def _point(at: int, samples: Sequence[Sample]) -> LoadPoint:
    names = sorted({name for sample in samples for name in sample.partitions})
    return LoadPoint(
        at=datetime.fromtimestamp(at, UTC),
        samples=len(samples),
        load=_mean(sample.total_load for sample in samples),
        cpus=_mean(sample.total_cpus for sample in samples),
        cpus_allocated=_mean(sample.alloc_cpus for sample in samples),
        mem_mb=_mean(sample.total_mem for sample in samples),
        mem_mb_allocated=_mean(sample.alloc_mem for sample in samples),
        partitions={name: _partition_point(name, samples) for name in names},
    )


def _partition_point(name: str, samples: Sequence[Sample]) -> PartitionPoint:
    own = [sample.partitions[name] for sample in samples if name in sample.partitions]
    return PartitionPoint(
        load=_mean(each.partition_load for each in own),
        cpus_held=_mean(each.alloc_cpus for each in own),
        mem_mb_held=_mean(each.alloc_mem for each in own),
    )


def _mean(values: Iterable[float]) -> float:
    known = tuple(values)
    return sum(known) / len(known)
