"""The operator of many SlurmJobs: what it holds, what it does while nothing changes, one more."""

import time
from collections.abc import Iterator

from benchmarks.operator.place import SHIPPED, Place, seconds_until
from benchmarks.proc import own_cpu_seconds, peak_megabytes, resident_megabytes
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from tests.e2e.program import Daemon

MOST_MB = 60.0
MOST_S = 2.0
MINUTE_S = 60.0
TURNS_A_MINUTE = MINUTE_S / float(SHIPPED["OPERATOR_TICK"].removesuffix("s"))
WHY_LARGE = "Python, its TLS and what was heard of each SlurmJob; a page of them is read at once"
WHY_LATE = "a gateway's queue is read for the look before, and sbatch by sudo takes its time"
ONE_AFTER_ANOTHER_S = 3.0


def measure_crowd(place: Place, daemon: Daemon, scale: Scale) -> Iterator[Row]:
    number, there = scale.slurm_jobs, place.handed_in()
    began = time.monotonic()
    place.make(there, number - there)
    seconds_until(lambda: place.told() >= number, f"{number} there", began)
    say(f"{number - there} more in {time.monotonic() - began:.0f} s")
    name, pid = f"operator, {number:,} SlurmJobs", daemon.process.pid
    yield from _idle(f"{name}, idle for a minute", place, pid)
    yield Row(
        name=f"{name}: resident",
        unit="MB",
        samples=[resident_megabytes(pid)],
        bound=MOST_MB,
        reason=WHY_LARGE,
    )
    yield Row(
        name=f"{name}: peak",
        unit="MB",
        samples=[peak_megabytes(pid)],
        bound=MOST_MB,
        reason=WHY_LARGE,
    )
    yield from _one_more(name, place, number, scale.runs)


def _idle(name: str, place: Place, pid: int) -> Iterator[Row]:
    time.sleep(2 * MINUTE_S / TURNS_A_MINUTE)  # what was still to be told is
    before, cpu = place.requests(), own_cpu_seconds(pid)
    time.sleep(MINUTE_S)
    cpu = own_cpu_seconds(pid) - cpu
    asked = place.requests().since(before)
    yield Row(name=f"{name}: own CPU", unit="s", samples=[cpu])
    yield Row(name=f"{name}: writes to the API server", unit="", samples=[asked.written], bound=0)
    yield Row(
        name=f"{name}: requests to the gateway, for {TURNS_A_MINUTE:g} turns",
        unit="",
        samples=[asked.gateway],
        bound=TURNS_A_MINUTE + 4,
        reason="each turn asks once; the sweep and what is true of the cluster come beside",
    )


def _one_more(name: str, place: Place, number: int, runs: int) -> Iterator[Row]:
    """From the request that makes it until sbatch has been asked, and has answered."""
    walls, bare = [], []
    for each in range(number, number + runs):
        time.sleep(ONE_AFTER_ANOTHER_S)
        began = time.monotonic()
        place.type_sbatch()
        bare.append(time.monotonic() - began)
        walls.append(_made(place, each))
    more = f"{name}, and one more: until Slurm has it"
    yield Row(name=more, unit="s", samples=walls, bound=MOST_S, reason=WHY_LATE)
    yield Row(name=f"{more}, against sbatch by sudo", unit="s", samples=walls, floor=bare)


def _made(place: Place, number: int) -> float:
    began = time.monotonic()
    place.make(number, 1)
    return seconds_until(lambda: place.handed_in() > number, "one more", began)
