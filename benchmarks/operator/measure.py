"""What is promised of the operator, on a real API server and a real Slurm. The composition."""

import time
from collections.abc import Iterator

from benchmarks.operator.crowd import measure_crowd
from benchmarks.operator.place import place
from benchmarks.operator.storm import measure_storm
from benchmarks.rows import Said
from benchmarks.scale import Scale


def measure_operator(scale: Scale) -> Iterator[Said]:
    """The crowd is what the storm left, and more."""
    with place() as made, made.operating() as daemon:
        time.sleep(1.0)  # its first turns have nothing to do
        yield from measure_storm(made, scale.slurm_jobs // 5)
        yield from measure_crowd(made, daemon, scale)
