"""Memory over many refreshes and many requests: nothing of any stays."""

from collections.abc import Callable, Iterator, Sequence

from benchmarks.gateway.answers import UNHURRIED, answers_a_second
from benchmarks.gateway.bed import Bed, Gateway
from benchmarks.gateway.refresh import HURRIED, ONE
from benchmarks.gateway.slopes import slope_of
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale

MARKS = 10
"""Memory is looked at so often; the first tenth is what a beginning takes."""

MOST_GROWTH_MB = 5.0
WHY_GROWS = "Python's memory is in pieces after a while, of which it gives none back"


def measure_endurance(bed: Bed, scale: Scale) -> Iterator[Row]:
    with bed.running(UNHURRIED, HURRIED) as gateway:
        token = gateway.token()

        def refresh(times: int) -> None:
            for _ in range(times):
                gateway.get(ONE, token)

        name = f"gateway: {scale.refreshes:,} refreshes of {bed.jobs:,} jobs"
        yield from _held(name, gateway, refresh, scale.refreshes)
    with bed.running(UNHURRIED) as gateway:
        token = gateway.token()

        def ask(times: int) -> None:
            answers_a_second(gateway.port, token, 304, "--unchanged", answers=times // 2)
            answers_a_second(gateway.port, token, 200, answers=times // 2)

        yield from _held(f"gateway: {scale.requests:,} requests", gateway, ask, scale.requests)


def _held(name: str, gateway: Gateway, work: Callable[[int], None], times: int) -> Iterator[Row]:
    held: list[tuple[float, float]] = []
    for mark in range(1, MARKS + 1):
        work(times // MARKS)
        held.append((times * mark / MARKS, gateway.resident_megabytes))
        say(f"{name}: {held[-1][0]:.0f}: {held[-1][1]:.1f} MB")
    yield Row(name=f"{name}: resident at the end", unit="MB", samples=[held[-1][1]])
    yield Row(
        name=f"{name}: growth from a tenth of them to all",
        unit="MB",
        samples=[growth_of(held)],
        bound=MOST_GROWTH_MB,
        reason=WHY_GROWS,
    )


def growth_of(held: Sequence[tuple[float, float]]) -> float:
    """How much larger it has become by the trend: what comes and goes between two looks is none."""
    return slope_of(held) * (held[-1][0] - held[0][0])
