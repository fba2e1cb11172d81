"""What stands is told once, a passing failure is a warning, and only a brake is told as one."""

import pytest

from tests.fakes.slurm import down, refused
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.report import news
from waldur_slurm.agent.report.findings import Refusal
from waldur_slurm.errors import ExpectedError
from waldur_slurm.telemetry.events import Event, Level


def test_standing_trouble_is_told_once_and_again_when_it_comes_back() -> None:
    heard: list[Event] = []
    said: news.SaidOnce[str] = news.SaidOnce(heard.append, lambda name: Event(name=name))
    told = []
    for found in (["a"], ["a", "b"], ["b"], ["a", "b"]):
        said.tell(found)
        told.append([event.name for event in heard])
        heard.clear()

    assert told == [["a"], ["b"], [], ["a"]]


@pytest.mark.parametrize(
    ("error", "level"), [(down(), Level.WARNING), (refused("no"), Level.ERROR)]
)
def test_what_the_next_cycle_may_mend_is_a_warning_and_all_else_an_error(
    error: ExpectedError, level: Level
) -> None:
    event = news.failed("alpha", "report usage", error)

    assert (event.name, event.level) == ("step.failed", level)
    assert event.fields == {"subject": "alpha", "step": "report usage", "error": str(error)}


@pytest.mark.parametrize("kind", list(RefusalKind))
def test_only_the_brake_is_told_as_a_brake(kind: RefusalKind) -> None:
    event = news.refused(Refusal(kind, "alpha", "why"))

    assert event.name == ("brake.active" if kind is RefusalKind.BRAKE else "step.refused")
    assert event.fields == {"kind": kind.value, "subject": "alpha", "reason": "why"}
