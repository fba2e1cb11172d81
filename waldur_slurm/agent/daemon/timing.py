"""How long cycles, their phases and looks between them take, told as events of level DEBUG."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from waldur_slurm.agent.report.look import Look
from waldur_slurm.agent.report.report import Report
from waldur_slurm.errors import ExpectedError
from waldur_slurm.telemetry.events import Event, Level, Sink


def run_timed(tell: Sink, work: Callable[[], Report]) -> Report:
    """Run one cycle and tell how it ended, unless somebody stopped it."""
    began = time.monotonic()
    try:
        report = work()
    except Exception as error:
        outcome = "failed" if isinstance(error, ExpectedError) else "crashed"
        tell(_event("cycle.ended", began, outcome=outcome))
        raise
    tell(
        _event(
            "cycle.ended",
            began,
            outcome="partial" if report.failures else "ok",
            changes=report.changes,
            failures=len(report.failures),
            standing=report.standing,
        )
    )
    return report


def look_timed(tell: Sink, work: Callable[[], Look]) -> Look:
    """Look once and tell how it ended, unless somebody stopped it."""
    began = time.monotonic()
    try:
        look = work()
    except Exception as error:
        outcome = "failed" if isinstance(error, ExpectedError) else "crashed"
        tell(_event("look.ended", began, outcome=outcome))
        raise
    tell(_event("look.ended", began, outcome=_outcome(look)))
    return look


def _outcome(look: Look) -> str:
    if look.report is None:
        return "passed on" if look.is_cycle_wanted else "nothing new"
    return "partial" if look.report.failures else "ok"


@contextmanager
def timed_phase(tell: Sink, phase: str) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        tell(_event("cycle.phase", began, phase=phase))


def _event(name: str, began: float, **fields: object) -> Event:
    seconds = round(time.monotonic() - began, 3)
    return Event(name=name, level=Level.DEBUG, fields={**fields, "seconds": seconds})
