"""What a job used stands in its letter, where the accounting knows it in time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.letters import FakeLetters
from tests.fakes.past import FakeHistory, past_run
from tests.patience import AT_ONCE_S
from tests.unit.gateway.post.letters import FACTS, NOW, letter
from tests.unit.gateway.post.test_cycle import Clock, FakeSender
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.past.efficiency import Efficiency
from waldur_slurm.gateway.post.cycle import UNTIL_KNOWN, Postman
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion, Stage
from waldur_slurm.gateway.post.measuring import PATIENCE, SILENT_FOR, Measuring
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.past import PastRun, PastStep

STARTED = NOW - timedelta(seconds=100)
UNMEASURED = replace(FACTS, started=STARTED, efficiency=Efficiency(time=0.5))


def ended(number: int = 4711, **changes: Any) -> Letter:
    facts = replace(UNMEASURED, job_id=str(number))
    return letter(str(number), facts=facts, **changes)


def run(number: int = 4711, **changes: Any) -> PastRun:
    known: dict[str, Any] = {
        "submitted": STARTED, "start": STARTED, "end": NOW, "elapsed_s": 100, "cpus": 4,
        "limit_s": 200,
    }  # fmt: skip
    return past_run(number, **(known | changes))


def step(number: int = 4711) -> PastStep:
    return PastStep(
        JobId(number), "batch", JobState("COMPLETED"), STARTED, NOW, 100, 4, 1, 100.0, None, None,
        None,
    )  # fmt: skip


class Scene:
    def __init__(self) -> None:
        self.history = FakeHistory()
        self.letters: list[Letter] = []
        self.measuring = Measuring(lambda: {"lab": self.history}, lambda: self.letters)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_letter_tells_what_its_job_used(scene: Scene) -> None:
    scene.history.runs.append(run())
    scene.history.steps.append(step())

    told = scene.measuring.measured(ended(), NOW)

    assert told is not None
    assert told.facts is not None
    assert told.facts.efficiency == Efficiency(cpu=0.25, time=0.5, cpu_seconds=100.0)


def test_letters_that_wait_are_asked_for_together(scene: Scene) -> None:
    scene.letters = [ended(number) for number in range(1, 301)]
    scene.history.runs += [run(number) for number in range(1, 301)]
    scene.history.steps += [step(number) for number in range(1, 301)]

    told = [scene.measuring.measured(each, NOW) for each in scene.letters]

    assert all(each and each.facts and each.facts.efficiency.cpu == 0.25 for each in told)
    assert scene.history.questions == 2


def test_a_letter_waits_some_seconds_for_the_accounting_and_no_longer(scene: Scene) -> None:
    own = ended()
    for record in ((), (run(end=None, state=JobState("RUNNING")),), (run(),)):
        scene.history.runs = [*record]
        assert scene.measuring.measured(own, NOW) is None

    assert scene.measuring.measured(own, NOW + PATIENCE) == own


def test_a_letter_from_long_ago_is_asked_for_once(scene: Scene) -> None:
    later = NOW + timedelta(hours=1)
    for _ in range(3):
        assert scene.measuring.measured(ended(), later) == ended()

    assert scene.history.questions == 2


def test_a_silent_accounting_holds_up_no_letter_and_is_left_alone(scene: Scene) -> None:
    scene.history.outage = AccountingDown(("sacct",), 1, "slurmdbd is away")
    for number in range(1, 10):
        assert scene.measuring.measured(ended(number), NOW) == ended(number)
    assert scene.history.questions == 1

    scene.history.outage = None
    scene.history.runs.append(run())
    scene.history.steps.append(step())
    told = scene.measuring.measured(ended(), NOW + SILENT_FOR)
    assert told != ended()


@pytest.mark.parametrize(
    "other",
    [
        {"user": "bob"},
        {"start": STARTED - timedelta(days=1), "submitted": STARTED - timedelta(days=1)},
    ],
)
def test_the_record_of_another_job_of_that_number_is_not_taken(
    scene: Scene, other: dict[str, Any]
) -> None:
    scene.history.runs.append(run(**other))
    scene.history.steps.append(step())

    assert scene.measuring.measured(ended(), NOW + PATIENCE) == ended()


@pytest.mark.parametrize(
    "own",
    [
        ended(event=Occasion.STARTED),
        letter(event=Occasion.TRIAL, facts=None),
        letter(facts=replace(UNMEASURED, started=None)),
        letter(facts=replace(UNMEASURED, cluster="elsewhere"), made=NOW - PATIENCE),
        letter(facts=replace(UNMEASURED, job_id="what")),
        letter(),
    ],
)
def test_where_there_is_nothing_to_know_nobody_is_asked(scene: Scene, own: Letter) -> None:
    assert scene.measuring.measured(own, NOW) == own
    assert scene.history.questions == 0


def test_a_letter_that_waits_for_it_has_not_been_tried(scene: Scene) -> None:
    letters, mail, clock = FakeLetters(), FakeSender(), Clock()
    letters.add(ended())
    postman = Postman(
        letters,
        {Method.EMAIL: mail},
        lambda _event: None,
        measured=scene.measuring.measured,
        clock=clock,
    )

    postman.begin_due()
    assert postman.wait_idle(AT_ONCE_S)
    (waiting,) = letters.kept.values()
    assert (waiting.tries, waiting.next_try, mail.sent) == (0, NOW + UNTIL_KNOWN, [])

    scene.history.runs.append(run())
    scene.history.steps.append(step())
    clock.now += UNTIL_KNOWN
    postman.begin_due()
    assert postman.wait_idle(AT_ONCE_S)
    (sent,) = letters.kept.values()
    assert (sent.stage, sent.tries, mail.sent) == (Stage.DELIVERED, 1, ["4711"])


def test_a_defect_in_asking_costs_no_letter() -> None:
    letters, mail = FakeLetters(), FakeSender()
    letters.add(ended())

    def broken(_letter: Letter, _now: object) -> Letter | None:
        raise ZeroDivisionError

    told: list[str] = []
    postman = Postman(
        letters,
        {Method.EMAIL: mail},
        lambda event: told.append(event.name),
        measured=broken,
        clock=Clock(),
    )
    postman.begin_due()
    assert postman.wait_idle(AT_ONCE_S)

    assert mail.sent == ["4711"]
    assert "letter.crashed" in told
