"""What a look makes of a whole array."""

import pytest

from tests.unit.gateway.watch.looks import (
    ALL,
    MINUTE,
    NO_ACCOUNTING,
    gone,
    listing,
    look,
    memory,
    row,
    run,
    seen,
    there,
    told,
)
from tests.unit.gateway.watch.monitors import NOW, monitor
from waldur_slurm.gateway.post.letter import Facts
from waldur_slurm.gateway.watch.arrays import read_numbers, write_numbers
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.gateway.watch.port import Turn
from waldur_slurm.model.batch import JobId, Span, Task, Tasks
from waldur_slurm.model.live import ExitCode, LiveJob
from waldur_slurm.model.past import PastRun


def task(number: int, state: str, **changes: object) -> LiveJob:
    return row(state, 100 + number, **{"id": JobId(1, Task(number)), **changes})


def waiting(first: int, last: int, state: str = "PENDING") -> LiveJob:
    return row(state, id=JobId(1, Tasks((Span(first, last),))), hosts="")


def past_task(number: int, state: str) -> PastRun:
    return run(state, id=JobId(1, Task(number)), number=100 + number)


def facts(turns: list[Turn]) -> Facts:
    found = turns[-1].letters[0].facts
    assert found is not None
    return found


def test_an_array_ends_when_all_its_tasks_have() -> None:
    turns = seen(
        there(waiting(0, 2)),
        there(task(0, "RUNNING"), waiting(1, 2)),
        there(task(0, "COMPLETED"), task(1, "RUNNING"), task(2, "RUNNING")),
        there(task(0, "COMPLETED"), task(1, "COMPLETED"), task(2, "COMPLETED", end=NOW)),
        start=monitor(occasions=ALL),
    )

    assert told(turns) == ["started", "terminal"]
    assert [turn.monitor.state for turn in turns] == ["PENDING", "RUNNING", "RUNNING", "COMPLETED"]
    assert facts(turns[-1:]).state == "COMPLETED"
    assert facts(turns[-1:]).exit_code == "0:0"
    assert facts(turns[-1:]).job_id == "1"


def test_an_array_came_to_what_its_worst_task_did_and_all_are_counted() -> None:
    turns = seen(
        there(waiting(0, 3)),
        there(
            task(0, "COMPLETED"),
            task(1, "FAILED", exit=ExitCode(3, 0)),
            task(2, "TIMEOUT"),
            task(3, "COMPLETED"),
        ),
        start=monitor(),
    )

    assert turns[-1].monitor.state == "TIMEOUT"
    assert facts(turns).state == "TIMEOUT (2 COMPLETED, 1 FAILED, 1 TIMEOUT)"
    assert facts(turns).exit_code == "3:0"


def test_tasks_that_left_the_list_are_asked_for_in_the_accounting() -> None:
    turns = seen(
        there(task(0, "RUNNING"), task(1, "RUNNING")),
        (listing(task(1, "RUNNING")), memory(past_task(0, "FAILED"))),
        gone(memory(past_task(0, "FAILED"), past_task(1, "COMPLETED"))),
        start=monitor(),
    )

    assert [turn.monitor.stage for turn in turns] == [
        Stage.WATCHING,
        Stage.WATCHING,
        Stage.ENDED,
    ]
    assert facts(turns).state == "FAILED (1 COMPLETED, 1 FAILED)"


def test_a_task_of_which_nobody_says_how_it_ended_holds_the_end_back() -> None:
    start = seen(there(task(0, "RUNNING"), task(1, "RUNNING")), start=monitor())[0].monitor
    late = memory(past_task(1, "COMPLETED"))

    turns = seen(gone(late), gone(late), start=start)

    assert told(turns) == []
    assert turns[-1].monitor.stage is Stage.WATCHING
    assert turns[-1].monitor.sight is not None
    assert turns[-1].monitor.sight.open_tasks == "0"
    whole = memory(past_task(0, "COMPLETED"), past_task(1, "COMPLETED"))
    assert told(seen(gone(whole), start=turns[-1].monitor)) == ["terminal"]


def test_a_task_that_is_lost_does_not_give_up_an_array_that_goes_on() -> None:
    start = seen(there(task(0, "RUNNING"), task(1, "RUNNING")), start=monitor())[0].monitor

    going = (listing(task(1, "RUNNING")), NO_ACCOUNTING)
    turns = seen(*[going] * 9, *[(listing(), NO_ACCOUNTING)] * 3, start=start)

    assert [turn.monitor.stage for turn in turns] == [Stage.WATCHING, Stage.GIVEN_UP]
    assert [turn.monitor.updated for turn in turns] == [NOW + 9 * MINUTE, NOW + 11 * MINUTE]
    assert told(turns) == ["vanished"]


def test_a_task_that_was_requeued_has_not_ended() -> None:
    turns = seen(
        there(task(0, "COMPLETED"), task(1, "RUNNING")),
        there(
            task(0, "RUNNING", restarts=1, submitted=NOW + MINUTE),
            task(1, "COMPLETED"),
        ),
        there(
            task(0, "FAILED", restarts=1, submitted=NOW + MINUTE),
            task(1, "COMPLETED"),
        ),
        start=monitor(occasions=ALL),
    )

    assert told(turns) == ["started", "requeued", "terminal"]
    assert turns[-1].monitor.state == "FAILED"


def test_an_array_goes_on_while_one_of_its_tasks_runs_again() -> None:
    again = task(0, "RUNNING", restarts=1, submitted=NOW + MINUTE)

    turns = seen(
        there(task(0, "COMPLETED"), task(1, "RUNNING")),
        there(again, task(1, "COMPLETED")),
        start=monitor(),
    )

    assert told(turns) == []
    assert turns[-1].monitor.stage is Stage.WATCHING


def test_waiting_tasks_that_were_cancelled_together_have_ended() -> None:
    turns = seen(there(waiting(0, 9)), there(waiting(0, 9, "CANCELLED")), start=monitor())

    assert told(turns) == ["terminal"]
    assert facts(turns).state == "CANCELLED"


def test_an_array_that_was_never_listed_is_known_by_the_accounting() -> None:
    known = memory(past_task(0, "COMPLETED"), past_task(1, "FAILED"))

    found = look(monitor(), listing(), known)

    assert found is not None
    assert told([found]) == ["terminal"]


def test_the_same_array_costs_nothing_to_write() -> None:
    jobs = listing(task(0, "RUNNING"), waiting(1, 5))
    first = look(monitor(), jobs)

    assert first is not None
    assert look(first.monitor, jobs, after=MINUTE) is None


@pytest.mark.parametrize("text", ["", "0", "0-3", "0-3,7,9-10"])
def test_numbers_of_tasks_are_written_shortly(text: str) -> None:
    assert write_numbers(read_numbers(text)) == text
