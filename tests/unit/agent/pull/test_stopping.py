"""Whoever stops the agent loses no note: a change is made, looked at and noted as one piece."""

import signal
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.service.signals import Signals, Stopped

WRITES = ("add_", "set_", "remove_", "cancel_", "tell_", "approve_", "make_")


class Stopping:
    """Both sides as a stopped process meets them: after a write comes the look at what it did."""

    def __init__(self, signals: Signals, at: int) -> None:
        self.signals = signals
        self.writes = 0
        self._at = at

    def wrap(self, side: Any) -> Any:
        return _Wrapped(self, side)

    def after_write(self) -> None:
        if self.writes == self._at:
            self.signals.note(signal.SIGTERM, None)
        self.writes += 1
        self.signals.stop_if_asked()


class _Wrapped:
    def __init__(self, stopping: Stopping, side: Any) -> None:
        self._stopping = stopping
        self._side = side

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._side, name)
        if not name.startswith(WRITES):
            return found

        @wraps(found)
        def writing(*args: Any, **more: Any) -> Any:
            result = found(*args, **more)
            self._stopping.after_write()
            return result

        return writing


def create(site: Site) -> None:
    project = site.waldur.make_project()
    for user in ("ann", "bob"):
        site.waldur.add_member(project, user)
    site.waldur.place_create(project, "alloc", {"gpu": 1})


def terminate(site: Site) -> None:
    site.waldur.place_terminate(served(site, "ann", "bob").uuid)


def stopped_at(site: Site, write: int) -> bool:
    """Run one cycle that is stopped at that write; False when it did not come so far."""
    signals = Signals(0)
    stopping = Stopping(signals, write)
    site.wrap_slurm, site.wrap_waldur = stopping.wrap, stopping.wrap
    cycle = site.cycle()
    cycle.is_stopping, cycle.unbroken = lambda: signals.is_stopping, signals.unbroken
    try:
        cycle.run()
    except Stopped:
        pass
    finally:
        site.wrap_slurm, site.wrap_waldur = (lambda side: side), (lambda side: side)
    return stopping.writes > write


def noted(site: Site) -> Counter[str]:
    return Counter(event.name for event in site.events if event.is_change)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("place", [create, terminate])
def test_every_change_is_noted_wherever_the_agent_is_stopped(
    dialect: Dialect, place: Callable[[Site], None]
) -> None:
    undisturbed = new_site(dialect)
    place(undisturbed)
    undisturbed.settle()
    swept = 0
    while True:
        site = new_site(dialect)
        place(site)
        if not stopped_at(site, swept):
            break
        swept += 1
        site.settle()
        assert noted(site) == noted(undisturbed)
    assert swept > 3
