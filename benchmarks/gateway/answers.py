"""What an answer costs that is ready or nearly so: unchanged lists, and pages of them."""

from collections.abc import Iterator

from benchmarks.gateway.bed import Bed, NotServed, told_by
from benchmarks.rows import Row
from benchmarks.scale import Scale

PAGE = "/api/v1/jobs?user=root&limit=100"
AT_LEAST = {"unchanged": 2500.0, "a page of 100": 1500.0}
"""A second, doors included, beside the client that asks."""

ANSWERS = 4000
UNHURRIED = {"GATEWAY_JOBS_AGE": "1h", "GATEWAY_PACE_AT_ONCE": "1000000"}
WHY_FEWER = "one process answers, and the client that asks takes a part of the same two processors"


def measure_answers(bed: Bed, scale: Scale) -> Iterator[Row]:
    """Ask one that is warm, with a token, for what does not change meanwhile."""
    rates: dict[str, list[float]] = {name: [] for name in AT_LEAST}
    with bed.running(UNHURRIED) as gateway:
        token = gateway.token()
        for _ in range(scale.runs):
            rates["unchanged"].append(answers_a_second(gateway.port, token, 304, "--unchanged"))
            rates["a page of 100"].append(answers_a_second(gateway.port, token, 200))
    for name, samples in rates.items():
        yield Row(
            name=f"gateway: {name}, {bed.jobs:,} jobs",
            unit="/s",
            samples=samples,
            bound=AT_LEAST[name],
            at_least=True,
            reason=WHY_FEWER,
        )


def answers_a_second(
    port: int, token: str, status: int, *options: str, answers: int = ANSWERS, path: str = PAGE
) -> float:
    """Ask thousands of times over connections that stay."""
    told = told_by("again", port, token, path, answers, *options)
    if told["statuses"] != [status]:
        raise NotServed(f"answered with {told['statuses']}, not {status}")
    return 1 / float(told["seconds"])
