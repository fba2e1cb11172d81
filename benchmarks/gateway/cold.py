"""Fifty clients who ask at the same moment, one that has just started, for all of many jobs."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.gateway.bed import Bed, Gateway, NotServed, told_by
from benchmarks.read_queue import seconds_of_squeue
from benchmarks.rows import Row
from benchmarks.scale import Scale

CLIENTS = 50
EVERYTHING = "/api/v1/jobs?limit=0"
MOST_TIMES_BARE = 3.0
FULL_SIZE = Scale().queued_jobs
"""With fewer jobs the fifty connections weigh more than the list."""

WHY_MORE = (
    "beside reading the list it is written and packed once, and one process answers fifty"
    " connections, while their clients share the same two processors"
)


@dataclass
class Rounds:
    """What each round of clients came to."""

    bare: list[float] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    rpcs: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def measure_cold(bed: Bed, scale: Scale) -> Iterator[Row]:
    rounds = Rounds()
    for _ in range(scale.runs):
        rounds.bare.append(seconds_of_squeue(bed.environ))
        with bed.running() as gateway:
            before, cpu = bed.listings_asked(), gateway.cpu_seconds
            rounds.walls.append(seconds_of_all(gateway, CLIENTS))
            rounds.rpcs.append(bed.listings_asked() - before)
            rounds.cpu.append(gateway.cpu_seconds - cpu)
            rounds.peaks.append(gateway.peak_megabytes)
    name = f"gateway: {CLIENTS} cold clients, {bed.jobs:,} jobs"
    yield Row(
        name=f"{name}: all served",
        unit="s",
        samples=rounds.walls,
        floor=rounds.bare,
        bound=MOST_TIMES_BARE if bed.jobs >= FULL_SIZE else None,
        reason=WHY_MORE,
    )
    yield Row(name=f"{name}: REQUEST_JOB_INFO", unit="", samples=rounds.rpcs, bound=1)
    yield Row(name=f"{name}: own CPU", unit="s", samples=rounds.cpu)
    yield Row(name=f"{name}: peak", unit="MB", samples=rounds.peaks)


def seconds_of_all(gateway: Gateway, clients: int, path: str = EVERYTHING) -> float:
    """Have so many ask at once; return when the last of them had all."""
    answers: list[tuple[int, int, float]] = told_by("all_at_once", gateway.port, path, clients)
    if {status for status, _, _ in answers} != {200}:
        raise NotServed(f"not everybody was served: {answers}")
    return max(seconds for _, _, seconds in answers)
