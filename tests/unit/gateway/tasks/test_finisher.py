"""What a gateway left behind is found out by the next one, beside everything else."""

import time
from threading import Event as Bell

import pytest

from tests.unit.gateway.tasks.desks import TaskDesk
from waldur_slurm.gateway.errors import OutcomeUnknown
from waldur_slurm.gateway.tasks.finisher import SELDOM_S, SOON_S, Finisher
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.model.batch import JobId
from waldur_slurm.telemetry.events import Level


@pytest.fixture
def desk() -> TaskDesk:
    return TaskDesk()


def finisher(desk: TaskDesk) -> Finisher:
    return Finisher(desk.desk, Bell(), desk.submits.told.append)


def lose(desk: TaskDesk, what: str, **changed: str) -> None:
    with desk.submits.losing(what), pytest.raises(OutcomeUnknown):
        desk.submit(**changed)


def test_a_job_is_found_and_what_made_none_is_forgotten(desk: TaskDesk) -> None:
    lose(desk, "answers", uuid="lost")
    lose(desk, "requests", uuid="never")
    assert finisher(desk).finish_all() == SOON_S
    desk.submits.wait(minutes=2)
    desk.start()

    assert finisher(desk).finish_all() == SELDOM_S
    (kept,) = desk.kept
    assert (kept.uuid, kept.placed and kept.placed.job_id) == ("lost", JobId(1))
    assert [monitor.job for monitor in desk.monitors] == [JobId(1)]
    (found,) = desk.submits.events("task.found")
    (freed,) = desk.submits.events("task.freed")
    assert found.fields == {
        "owner": "token:ann", "task": "lost", "cluster": "lab", "user": "ann", "job": "1",
    }  # fmt: skip
    assert freed.fields == {"owner": "token:ann", "task": "never", "cluster": "lab", "user": "ann"}
    assert found.is_change
    assert freed.is_change


def until_told(desk: TaskDesk, name: str) -> None:
    deadline = time.monotonic() + 10
    while not desk.submits.events(name):
        assert time.monotonic() < deadline, name
        time.sleep(0.01)


def test_it_begins_at_once_and_wakes_when_it_is_rung(desk: TaskDesk) -> None:
    bell = Bell()
    lose(desk, "answers", uuid="first")
    with Finisher(desk.desk, bell, desk.submits.told.append).running():
        until_told(desk, "task.found")
        desk.submits.told.clear()
        lose(desk, "answers", uuid="second")
        bell.set()
        until_told(desk, "task.found")

    assert all(task.placed for task in desk.kept)


def test_a_database_in_trouble_is_told_once_and_a_defect_each_time(desk: TaskDesk) -> None:
    desk.tasks.is_broken = True
    with finisher(desk).running():
        until_told(desk, "task.unsettled")
    desk.tasks.is_broken = False
    lose(desk, "answers")

    def broken(_task: KeptTask) -> None:
        raise ZeroDivisionError

    desk.desk.settle = broken  # type: ignore[method-assign,assignment]
    with finisher(desk).running():
        until_told(desk, "task.crashed")

    (unsettled,) = desk.submits.events("task.unsettled")
    (crashed,) = desk.submits.events("task.crashed")
    assert (unsettled.level, crashed.level) == (Level.WARNING, Level.ERROR)
    assert "ZeroDivisionError" in str(crashed.fields["traceback"])
