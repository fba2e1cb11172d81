"""Each cycle ends with one event that says how, how long it took and what it left."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from tests.patience import AT_ONCE_S
from waldur_slurm.agent.daemon.timing import look_timed, run_timed, timed_phase
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.report.findings import Drift, Failure, Refusal
from waldur_slurm.agent.report.look import Look
from waldur_slurm.agent.report.report import Report
from waldur_slurm.agent.report.standing import Standing
from waldur_slurm.service.signals import Stopped
from waldur_slurm.telemetry.events import Event, Level

STANDING = Standing(drift={"limits": 2}, unreported={"cpu": Decimal("1.5")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Report):
    changes: int = 3
    failures: tuple[Failure[object], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    drifts: tuple[Drift, ...] = ()

    @property
    def standing(self) -> Standing:
        return STANDING


def test_a_cycle_that_came_to_its_end_is_told_with_what_it_left() -> None:
    told: list[Event] = []

    report = run_timed(told.append, Done)

    assert report.changes == 3
    (event,) = told
    assert (event.name, event.level, event.is_change) == ("cycle.ended", Level.DEBUG, False)
    assert event.fields["outcome"] == "ok"
    assert event.fields["standing"] is STANDING
    seconds = event.fields["seconds"]
    assert isinstance(seconds, float)
    assert 0 <= seconds < AT_ONCE_S


@pytest.mark.parametrize(
    ("look", "outcome"),
    [
        (Look(), "nothing new"),
        (Look(is_cycle_wanted=True), "passed on"),
        (Look(Done()), "ok"),
        (Look(Done(failures=(Failure("step", WaldurUnreachable("x")),))), "partial"),
    ],
)
def test_a_look_is_told_with_how_it_ended(look: Look, outcome: str) -> None:
    told: list[Event] = []

    assert look_timed(told.append, lambda: look) is look

    assert [(event.name, event.level) for event in told] == [("look.ended", Level.DEBUG)]
    assert told[0].fields["outcome"] == outcome


def test_a_look_that_failed_is_told_and_fails_on() -> None:
    told: list[Event] = []

    def look() -> Look:
        raise WaldurUnreachable("x")

    with pytest.raises(WaldurUnreachable):
        look_timed(told.append, look)

    assert told[0].fields["outcome"] == "failed"


def test_a_cycle_in_which_single_items_failed_is_told_as_partial() -> None:
    told: list[Event] = []

    run_timed(told.append, lambda: Done(failures=(Failure("step", WaldurUnreachable("x")),)))

    assert (told[0].fields["outcome"], told[0].fields["failures"]) == ("partial", 1)


@pytest.mark.parametrize(
    ("error", "outcome"), [(WaldurUnreachable("x"), "failed"), (KeyError("x"), "crashed")]
)
def test_a_cycle_that_failed_whole_is_told_and_fails_on(error: Exception, outcome: str) -> None:
    told: list[Event] = []

    def fail() -> Report:
        raise error

    with pytest.raises(type(error)):
        run_timed(told.append, fail)

    assert [event.fields["outcome"] for event in told] == [outcome]


def test_a_cycle_that_somebody_stopped_did_not_end() -> None:
    told: list[Event] = []

    def stop() -> Report:
        raise Stopped

    with pytest.raises(Stopped):
        run_timed(told.append, stop)

    assert told == []


def test_a_phase_is_told_also_when_it_fails() -> None:
    told: list[Event] = []

    with pytest.raises(WaldurUnreachable), timed_phase(told.append, "read"):
        raise WaldurUnreachable("x")

    assert [(event.name, event.fields["phase"]) for event in told] == [("cycle.phase", "read")]
