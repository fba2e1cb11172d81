"""From starting the gateway to its first answer, in front of a Slurm that it does not wait for."""

import time
from collections.abc import Iterator

from benchmarks.gateway.bed import Bed
from benchmarks.rows import Row
from benchmarks.scale import Scale

MOST_S = 0.8
WHY_LATE = "nearly all of it is Python reading the modules, which a busy processor does as slowly"


def measure_start(bed: Bed, scale: Scale) -> Iterator[Row]:
    walls, cpu, resident, asked = [], [], [], []
    for _ in range(scale.runs):
        before, began = bed.listings_asked(), time.monotonic()
        with bed.running() as gateway:
            walls.append(time.monotonic() - began)
            cpu.append(gateway.cpu_seconds)
            resident.append(gateway.resident_megabytes)
            asked.append(bed.listings_asked() - before)
    name = "gateway: start to first answer"
    yield Row(name=name, unit="s", samples=walls, bound=MOST_S, reason=WHY_LATE)
    yield Row(name=f"{name}: own CPU", unit="s", samples=cpu)
    yield Row(name=f"{name}: resident", unit="MB", samples=resident)
    yield Row(name=f"{name}: REQUEST_JOB_INFO", unit="", samples=asked, bound=0)
