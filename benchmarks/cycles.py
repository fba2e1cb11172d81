"""One cycle of a daemon that runs already, and everything that it cost."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.proc import own_cpu_seconds
from benchmarks.site import Agent, Site
from benchmarks.tools import Command
from sandbox.waldur import Request
from tests.e2e.program import Daemon

PATIENCE_S = 1800.0
ENDED_WELL = "STATUS=last cycle ended well"


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu_seconds: float
    commands: list[Command]
    requests: list[Request]

    @property
    def writes(self) -> list[Request]:
        return [one for one in self.requests if one.method not in ("GET", "HEAD")]

    @property
    def calls_of_sacct(self) -> list[Command]:
        return [one for one in self.commands if one.tool == "sacct"]


def told_within(site: Site, work: Callable[[], None]) -> Cost:
    """What it cost until `work` had come to its end, whoever did it."""
    _forget(site)
    began = time.monotonic()
    work()
    return Cost(time.monotonic() - began, 0.0, site.tools.told(), site.waldur.requests())


@contextmanager
def first_cycle(site: Site, agent: Agent) -> Iterator[tuple[Daemon, Cost]]:
    """Start the daemon; its first cycle costs its start as well."""
    _forget(site)
    began = time.monotonic()
    with agent.daemon() as daemon:
        daemon.hears(ENDED_WELL, timeout=PATIENCE_S)
        yield daemon, _cost(site, daemon, began, 0.0)


def next_cycle(site: Site, daemon: Daemon) -> Cost:
    _forget(site)
    cpu = own_cpu_seconds(daemon.process.pid)
    began = time.monotonic()
    daemon.signal(signal.SIGUSR1)
    daemon.hears(ENDED_WELL, timeout=PATIENCE_S)
    return _cost(site, daemon, began, cpu)


def _forget(site: Site) -> None:
    site.waldur.forget_requests()
    site.tools.forget()


def _cost(site: Site, daemon: Daemon, began: float, cpu_before: float) -> Cost:
    seconds = time.monotonic() - began
    cpu = own_cpu_seconds(daemon.process.pid) - cpu_before
    return Cost(seconds, cpu, site.tools.told(), site.waldur.requests())
