"""Handing in one job over HTTP, beside `sudo -u USER sbatch` typed by hand."""

import subprocess
import time
from collections.abc import Callable, Iterator

from benchmarks.rows import Row
from benchmarks.scale import Scale
from tests.e2e.gateway.acting import SLEEP, SMALL, ActingGateway, ActingSite
from tests.fixtures_hand import ANN

SUBMITS = 20
MOST_ADDED_S = 0.1
WHY_MORE = "an isolated interpreter's start alone takes the hand 50 ms and more on a busy processor"


def measure_submit(site: ActingSite, _scale: Scale) -> Iterator[Row]:
    token = site.token()
    with site.running() as gateway:
        _over_http(gateway, token)
        by_hand, over_http = [], []
        for _ in range(SUBMITS):
            by_hand.append(_seconds_of(lambda: _by_hand(site)))
            over_http.append(_seconds_of(lambda: _over_http(gateway, token)))
    name = "gateway: submit over sudo -u USER sbatch"
    added = [mine - bare for mine, bare in zip(over_http, by_hand, strict=True)]
    yield Row(
        name=f"{name}: what the gateway adds",
        unit="s",
        samples=added,
        bound=MOST_ADDED_S,
        reason=WHY_MORE,
    )
    yield Row(name=f"{name}: wall", unit="s", samples=over_http, floor=by_hand)


def _by_hand(site: ActingSite) -> None:
    options = [f"--{name}={value}" for name, value in SMALL.items()]
    argv = ("sudo", "-n", "-u", ANN, "--", str(site.tools / "true-sbatch"), *options)
    subprocess.run(argv, input=SLEEP, text=True, check=True, capture_output=True)


def _over_http(gateway: ActingGateway, token: str) -> None:
    answer = gateway.submit(token)
    if answer.status != 201 or not answer.json["submit_time"]:
        raise AssertionError(f"not handed in: {answer}")


def _seconds_of(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
