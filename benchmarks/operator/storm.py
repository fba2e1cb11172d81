"""Many SlurmJobs at once: until Slurm has a job of each, and until each says its number."""

import time
from collections.abc import Iterator

from benchmarks.operator.place import HANDS, Place, at_once, seconds_until
from benchmarks.progress import say
from benchmarks.rows import Row

MOST_S = 30.0
WHY_LONG = (
    "each is an sbatch by sudo and five writes to the API server, on the processors that all share"
)


def measure_storm(place: Place, number: int) -> Iterator[Row]:
    bare = _typed(place, number)
    before, began = place.requests(), time.monotonic()
    place.make(0, number)
    say(f"{number} SlurmJobs made in {time.monotonic() - began:.1f} s")
    submitted = seconds_until(lambda: place.handed_in() >= number, "handed in", began)
    told = seconds_until(lambda: place.told() >= number, "told", began)
    asked = place.requests().since(before)
    if place.handed_in() != number:
        raise AssertionError(f"{place.handed_in()} jobs of {number} SlurmJobs")
    name = f"operator: {number} SlurmJobs at once"
    yield Row(
        name=f"{name}: until all are in Slurm",
        unit="s",
        samples=[submitted],
        bound=MOST_S,
        reason=WHY_LONG,
    )
    yield Row(
        name=f"{name}: against as many sbatch by sudo, {HANDS} at a time",
        unit="s",
        samples=[submitted],
        floor=[bare],
    )
    yield Row(name=f"{name}: until all say their number", unit="s", samples=[told])
    yield Row(
        name=f"{name}: writes to the API server, each", unit="", samples=[asked.written / number]
    )
    yield Row(
        name=f"{name}: requests to the gateway, each", unit="", samples=[asked.gateway / number]
    )


def _typed(place: Place, number: int) -> float:
    """The same jobs by hand, without marks."""

    def type_some(part: int) -> None:
        for _ in range(part, number, HANDS):
            place.type_sbatch()

    began = time.monotonic()
    at_once(type_some)
    return time.monotonic() - began
