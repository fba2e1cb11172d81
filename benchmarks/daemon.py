"""The daemon of either direction: how soon it asks Waldur, and what it holds while it idles."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.bare_start import BareStart
from benchmarks.endurance import measure_endurance
from benchmarks.proc import own_cpu_seconds, resident_megabytes
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.site import Agent, Site, running_site
from benchmarks.teams import order_for_teams

START_RATIO = 3.0
RESIDENT_MB = 60.0
IDLE_CYCLES = 3
PATIENCE_S = 20.0
TEAMS, USERS_EACH = 3, 5


def measure_daemon(scale: Scale) -> Iterator[Row]:
    with running_site() as site:
        order_for_teams(site, 0, TEAMS, USERS_EACH)
        for direction in ("pull", "push"):
            yield from measure_direction(site, direction, scale.runs)
        yield from measure_endurance(site, scale.idle_cycles)


def measure_direction(site: Site, direction: str, runs: int) -> list[Row]:
    say(f"daemon ({direction}): {runs} starts")
    agent = site.agent(direction)
    starts, floors = [], []
    for _ in range(runs):
        floors.append(bare_time_to_first_request())
        starts.append(time_to_first_request(agent))
    return [
        Row(
            name=f"daemon ({direction}): start to first request",
            unit="s",
            samples=[wall for wall, _ in starts],
            floor=[wall for wall, _ in floors],
            bound=START_RATIO,
        ),
        Row(
            name=f"daemon ({direction}): CPU until then",
            unit="s",
            samples=[cpu for _, cpu in starts],
            floor=[cpu for _, cpu in floors],
        ),
        Row(
            name=f"daemon ({direction}): resident after {IDLE_CYCLES} idle cycles",
            unit="MB",
            samples=[idle_megabytes(agent) for _ in range(runs)],
            bound=RESIDENT_MB,
        ),
    ]


def time_to_first_request(agent: Agent) -> tuple[float, float]:
    """Be Waldur's address until a request's first bytes arrive; return wall and CPU seconds."""
    with door() as (address, visited):
        began = time.monotonic()
        with agent.daemon(WALDUR_API_URL=address) as daemon:
            visited()
            return time.monotonic() - began, own_cpu_seconds(daemon.process.pid)


def bare_time_to_first_request() -> tuple[float, float]:
    """The same of an interpreter that only imports the libraries."""
    with door() as (address, visited):
        began = time.monotonic()
        with BareStart(address) as bare:
            visited()
            return time.monotonic() - began, bare.cpu_seconds()


@contextmanager
def door() -> Iterator[tuple[str, Callable[[], None]]]:
    """An address, and a wait until somebody's first bytes have arrived there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)

        def visited() -> None:
            visitor, _ = listener.accept()
            with visitor:
                visitor.settimeout(PATIENCE_S)
                visitor.recv(1)

        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/", visited


def idle_megabytes(agent: Agent) -> float:
    with agent.daemon(WALDUR_SYNC_INTERVAL="1") as daemon:
        for _ in range(1 + IDLE_CYCLES):  # the first one of all may have work
            daemon.hears("STATUS=last cycle ended well")
        return resident_megabytes(daemon.process.pid)
