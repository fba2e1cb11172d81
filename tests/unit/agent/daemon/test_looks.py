"""Looks between two cycles: often, less often after a failure, and never to the daemon's harm."""

from collections.abc import Callable
from datetime import timedelta

from waldur_slurm.agent.daemon.looks import Looks
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.report.look import Look
from waldur_slurm.errors import StateError
from waldur_slurm.service.signals import Stopped
from waldur_slurm.telemetry.events import Event, Level

INTERVAL, LONGEST = timedelta(seconds=5), timedelta(seconds=60)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Answers:
    """Looks that end one way after the other."""

    def __init__(self, *ends: Look | BaseException) -> None:
        self._ends = list(ends)

    def __call__(self) -> Look:
        end = self._ends.pop(0)
        if isinstance(end, BaseException):
            raise end
        return end


def looks_at(
    look: Callable[[], Look], clock: Clock | None = None, longest: timedelta = LONGEST
) -> tuple[Looks, list[Event]]:
    told: list[Event] = []
    monotonic = clock or Clock()
    looks = Looks(look, interval=INTERVAL, longest=longest, tell=told.append, monotonic=monotonic)
    return looks, told


def test_the_next_look_is_due_an_interval_after_the_last() -> None:
    clock = Clock()
    looks, told = looks_at(Answers(Look()), clock)
    looks.begin()
    clock.now += 4
    assert looks.left == timedelta(seconds=1)
    clock.now += 2

    assert looks.take() == Look()

    assert looks.left == INTERVAL
    assert told == []


def test_looks_that_fail_come_less_and_less_often_but_no_rarer_than_cycles() -> None:
    looks, _ = looks_at(Answers(*[WaldurUnreachable("refused")] * 6))

    pauses = []
    for _ in range(6):
        looks.take()
        pauses.append(looks.left.total_seconds())

    assert pauses == [10, 20, 40, 60, 60, 60]


def test_cycles_that_are_more_frequent_than_looks_make_these_no_rarer() -> None:
    looks, _ = looks_at(Answers(Look()), longest=timedelta(seconds=1))

    looks.take()

    assert looks.left == INTERVAL


def test_failures_in_a_row_are_told_once_and_so_is_their_end() -> None:
    looks, told = looks_at(
        Answers(WaldurUnreachable("refused"), WaldurUnreachable("refused"), Look(), Look())
    )

    for _ in range(4):
        looks.take()

    assert [(event.name, event.level) for event in told] == [
        ("look.failed", Level.WARNING),
        ("look.recovered", Level.INFO),
    ]
    assert told[0].fields == {"error": "refused"}
    assert told[1].fields == {"after_failures": 2}
    assert looks.left == INTERVAL


def test_what_needs_a_person_is_an_error_and_a_defect_shows_where_it_is() -> None:
    looks, told = looks_at(Answers(StateError("disk full")))
    looks.take()
    crashing, shown = looks_at(Answers(KeyError("a bug")))
    crashing.take()

    assert [(event.name, event.level) for event in told] == [("look.failed", Level.ERROR)]
    assert [(event.name, event.level) for event in shown] == [("look.crashed", Level.ERROR)]
    assert "KeyError" in str(shown[0].fields["traceback"])


def test_a_look_that_somebody_stops_has_not_failed() -> None:
    looks, told = looks_at(Answers(Stopped()))

    assert looks.take() == Look()

    assert told == []
