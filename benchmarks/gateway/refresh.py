"""Reading the queue again: how long it takes, what the loop loses by it, and what it holds."""

import json
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path

from benchmarks.gateway.bed import PATIENCE_S, Bed, Gateway, NotServed
from benchmarks.gateway.cold import CLIENTS, EVERYTHING, FULL_SIZE, seconds_of_all
from benchmarks.read_queue import seconds_of_squeue
from benchmarks.rows import Row
from benchmarks.scale import Scale

HURRIED = "benchmarks.gateway.hurried"
ONE = "/api/v1/jobs?limit=1"
MOST_TIMES_BARE = 1.5
P99_MS, MAX_MS = 10.0, 50.0
PEAK_MB = 250.0
RELUCTANT = 10
WRITTEN_S = 30.0
WHY_LATE = (
    "a thread that parses takes the interpreter for up to 5 ms at a time, and the kernel gives two"
    " processors to squeue, slurmctld, the gateway and the client at once"
)
WHY_LARGE = "two pictures are held while the next one is read, beside the list as it is sent"


def measure_refresh(bed: Bed, scale: Scale) -> Iterator[Row]:
    """Have one read it again and again, in turn with the bare squeue."""
    bare, walls = [], []
    stalls = bed.directory / f"stalls-{bed.jobs}"
    with bed.running({"BENCH_STALLS": str(stalls)}, HURRIED) as gateway:
        token = gateway.token()
        gateway.get(ONE, token)
        for _ in range(scale.refreshes_timed):
            bare.append(seconds_of_squeue(bed.environ))
            walls.append(seconds_of_refresh(gateway, token))
        late = stalls_meanwhile(gateway, token, scale.refreshes_timed, stalls)
    name = f"gateway: refresh of {bed.jobs:,} jobs"
    yield Row(
        name=name,
        unit="s",
        samples=walls,
        floor=bare,
        bound=MOST_TIMES_BARE if bed.jobs >= FULL_SIZE else None,
        reason="parsing runs beside squeue where a processor is free, and after it otherwise",
    )
    worst = [late[-1] * 1000]
    p99 = [percentile(late, 99) * 1000]
    stall = f"{name}: the loop's stall"
    yield Row(name=f"{stall}, p99", unit="ms", samples=p99, bound=P99_MS, reason=WHY_LATE)
    yield Row(name=f"{stall}, max", unit="ms", samples=worst, bound=MAX_MS, reason=WHY_LATE)


def seconds_of_refresh(gateway: Gateway, token: str) -> float:
    began = time.monotonic()
    gateway.get(ONE, token)
    return time.monotonic() - began


def stalls_meanwhile(gateway: Gateway, token: str, refreshes: int, told: Path) -> list[float]:
    """By how much the loop came too late while nothing but refreshes went on, in order of size."""
    gateway.process.send_signal(signal.SIGUSR1)
    for _ in range(refreshes):
        gateway.get(ONE, token)
    gateway.process.send_signal(signal.SIGUSR2)
    until = time.monotonic() + WRITTEN_S
    while not told.exists():
        if time.monotonic() > until:
            raise NotServed("the loop's stalls were never told")
        time.sleep(0.01)
    return sorted(json.loads(told.read_text()))


def percentile(ordered: Sequence[float], part: int) -> float:
    """Return the least that so many percent do not exceed."""
    return ordered[max(ceil(len(ordered) * part / 100) - 1, 0)]


def measure_crowd(bed: Bed, scale: Scale) -> Iterator[Row]:
    """Fifty who have the list, some packed and read, some unpacked and not; and that again."""
    with bed.running({"GATEWAY_PACE_AT_ONCE": "1000000"}, HURRIED) as gateway, ExitStack() as stack:
        stack.enter_context(_reluctant(gateway.port))
        for _ in range(scale.crowds):
            seconds_of_all(gateway, CLIENTS - RELUCTANT)
        peak, rest = gateway.peak_megabytes, gateway.resident_megabytes
    name = f"gateway: {bed.jobs:,} jobs, {CLIENTS} clients, {RELUCTANT} of whom do not read"
    yield Row(name=f"{name}: peak", unit="MB", samples=[peak], bound=PEAK_MB, reason=WHY_LARGE)
    yield Row(name=f"{name}: resident afterwards", unit="MB", samples=[rest])


@contextmanager
def _reluctant(port: int) -> Iterator[None]:
    """Clients who ask for everything unpacked, and read no more of it than that it comes."""
    asked = f"GET {EVERYTHING} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(RELUCTANT)]
        for each in opened:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.settimeout(PATIENCE_S)
            each.connect(("127.0.0.1", port))
        for each in opened:
            each.sendall(asked)
        if any(b" 200" not in each.recv(16) for each in opened):
            raise NotServed("one who reads slowly is not served")
        yield
