"""What is told of a cycle: each failure, and each standing trouble once, not in every cycle."""

from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

from waldur_slurm.agent.report.findings import Drift, Refusal, drift_record, refusal_record
from waldur_slurm.errors import ExpectedError
from waldur_slurm.telemetry.events import Event, Level, Sink

T = TypeVar("T", bound=Hashable)


class SaidOnce(Generic[T]):
    """Tells what is found now and was not found in the cycle before."""

    def __init__(self, sink: Sink, event_of: Callable[[T], Event]) -> None:
        self._sink = sink
        self._event_of = event_of
        self._said: frozenset[T] = frozenset()

    def tell(self, found: Collection[T], *, is_all: bool = True) -> None:
        """`is_all`: what is not found now has passed, and is told when it comes again."""
        for trouble in found:
            if trouble not in self._said:
                self._sink(self._event_of(trouble))
        self._said = frozenset(found) if is_all else self._said.union(found)


def failed(subject: str, step: str, error: ExpectedError) -> Event:
    """Tell of a failed step; `step` is the sentence that the plan says of it."""
    level = Level.WARNING if error.transient else Level.ERROR
    told = {"subject": subject, "step": step, "error": str(error)}
    return Event(name="step.failed", level=level, fields=told)


def refused(refusal: Refusal) -> Event:
    return Event(
        name="brake.active" if refusal.kind.is_brake else "step.refused",
        level=refusal.kind.level,
        fields=refusal_record(refusal),
    )


def drifted(drift: Drift) -> Event:
    return Event(name="drift.found", level=Level.WARNING, fields=drift_record(drift))
