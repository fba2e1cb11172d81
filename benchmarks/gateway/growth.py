"""What one more costs: a client, a job, a node, a watched job, a stored letter.

Each at three sizes; a row is the slope of the line that fits what they cost.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks.gateway.bed import Bed, Gateway, bed
from benchmarks.gateway.cold import seconds_of_all
from benchmarks.gateway.growth_watched import measure_stored_letters, measure_watched_jobs
from benchmarks.gateway.refresh import HURRIED, ONE
from benchmarks.gateway.slopes import growth_row
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale

TIMES = 20
ROUNDS = 5
CLIENTS = (20, 60, 100)
FEW = 10
NODES = "/api/v1/nodes?limit=1"
AGES = {"GATEWAY_JOBS_AGE": "1h", "GATEWAY_PACE_AT_ONCE": "1000000"}


def measure_growth(scale: Scale) -> Iterator[Row]:
    sizes = [scale.queued_jobs // 4, scale.queued_jobs // 2, scale.queued_jobs]
    with bed(sizes[0]) as made:
        yield from _clients(made)
        yield from _jobs(made, sizes)
    yield from _nodes([scale.nodes // 4, scale.nodes // 2, scale.nodes])
    yield from measure_watched_jobs(scale)
    yield from measure_stored_letters(scale)


def _clients(made: Bed) -> Iterator[Row]:
    """Of a list that is ready."""
    points = []
    with made.running(AGES) as gateway:
        seconds_of_all(gateway, CLIENTS[0])
        for clients in CLIENTS:
            ask = partial(seconds_of_all, gateway, clients)
            points.append((clients, _cpu_of(gateway, ask, ROUNDS)))
    yield growth_row(f"one more client of {made.jobs:,} jobs, own CPU", "us", points, 1e6)


def _jobs(made: Bed, sizes: Sequence[int]) -> Iterator[Row]:
    cpu, memory = [], []
    for jobs in sizes:
        if jobs > made.jobs:
            made.grow(jobs)
        with made.running(AGES, HURRIED) as gateway:
            gateway.get(ONE)
            cpu.append((jobs, _cpu_of(gateway, partial(gateway.get, ONE), TIMES)))
            memory.append((jobs, gateway.peak_megabytes))
    yield growth_row("one more job, own CPU of a refresh", "us", cpu, 1e6)
    yield growth_row("one more job, peak", "kB", memory, 1e3)


def _nodes(sizes: Sequence[int]) -> Iterator[Row]:
    """Nodes that slurmctld knows and that are down, beside the two that are up."""
    cpu, memory = [], []
    for nodes in sizes:
        say(f"gateway: growth, {nodes:,} nodes")
        named = f"x[1-{nodes}] NodeAddr=127.0.0.1 CPUs=8 RealMemory=32000 State=DOWN"
        with bed(FEW, NodeName=named) as made, made.running(AGES, HURRIED) as gateway:
            gateway.get(NODES)
            cpu.append((nodes, _cpu_of(gateway, partial(gateway.get, NODES), TIMES)))
            memory.append((nodes, gateway.peak_megabytes))
    yield growth_row("one more node, own CPU of a refresh", "us", cpu, 1e6)
    yield growth_row("one more node, peak", "kB", memory, 1e3)


def _cpu_of(gateway: Gateway, work: Callable[[], object], times: int) -> float:
    """The gateway's own processor time for it, in seconds."""
    before = gateway.cpu_seconds
    for _ in range(times):
        work()
    return (gateway.cpu_seconds - before) / times
