"""What a look makes of a monitor."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.gateway.watch.looks import (
    ALL,
    MINUTE,
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
from tests.unit.gateway.watch.monitors import MAIL, NOW, monitor
from waldur_slurm.gateway.post.letter import Method, Occasion
from waldur_slurm.gateway.watch.monitor import Stage, Transition
from waldur_slurm.model.batch import Component, JobId, Span, Task, Tasks
from waldur_slurm.model.live import ExitCode

ENDS = (
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
)
NO_ENDS = (
    "COMPLETING",
    "CONFIGURING",
    "PENDING",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "RESIZING",
    "RESV_DEL_HOLD",
    "RUNNING",
    "SIGNALING",
    "SOMETHING_NEW",
    "SPECIAL_EXIT",
    "STAGE_OUT",
    "STOPPED",
    "SUSPENDED",
    "UNKNOWN",
)


@pytest.mark.parametrize("state", ENDS)
def test_each_of_slurms_ends_is_told_of_where_slurmctld_shows_it(state: str) -> None:
    found = look(monitor(), listing(row(state, exit=ExitCode(1, 0), end=NOW, elapsed_s=9)))

    assert found is not None
    assert found.monitor.stage is Stage.ENDED
    assert found.transition == Transition(NOW, "UNKNOWN", state, Stage.ENDED)
    (letter,) = found.letters
    assert letter.event is Occasion.TERMINAL
    assert (letter.message_id, letter.monitor) == ("m-terminal-email", "m")
    assert letter.parameters == MAIL[Method.EMAIL]
    facts = letter.facts
    assert facts is not None
    assert (facts.state, facts.exit_code, facts.elapsed_s, facts.ended) == (state, "1:0", 9, NOW)


@pytest.mark.parametrize("state", ENDS)
def test_each_of_slurms_ends_is_told_of_where_only_the_accounting_knows_it(state: str) -> None:
    turns = seen(there(row()), gone(memory(run(state))), start=monitor())

    assert told(turns) == ["terminal"]
    assert (turns[-1].monitor.stage, turns[-1].monitor.state) == (Stage.ENDED, state)


@pytest.mark.parametrize("state", NO_ENDS)
def test_whatever_else_slurm_says_ends_nothing(state: str) -> None:
    live = look(monitor(), listing(row(state)))
    past = look(monitor(), listing(), memory(run(state, end=None)))

    assert live is not None
    assert past is not None
    assert live.monitor.stage is past.monitor.stage is Stage.WATCHING
    assert live.letters == past.letters == ()


@pytest.mark.parametrize("flag", ["REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "COMPLETING"])
def test_an_end_with_a_flag_that_holds_the_job_open_is_none(flag: str) -> None:
    state = replace(row("FAILED").state, flags=(flag,))

    found = look(monitor(), listing(row()._replace(state=state)))

    assert found is not None
    assert found.monitor.stage is Stage.WATCHING


def test_the_one_who_cancelled_a_job_is_no_part_of_its_end() -> None:
    found = look(monitor(submitted=NOW), listing(), memory(run("CANCELLED by 1000")))

    assert found is not None
    assert found.monitor.stage is Stage.ENDED
    assert found.monitor.state == "CANCELLED by 1000"


def test_one_letter_is_written_for_each_way() -> None:
    ways = {**MAIL, Method.TEST: {}}

    found = look(monitor(methods=ways), listing(row("FAILED")))

    assert found is not None
    assert [each.method for each in found.letters] == [Method.EMAIL, Method.TEST]
    assert len({each.message_id for each in found.letters}) == 2


def test_a_job_that_does_not_change_costs_nothing_to_write() -> None:
    first = look(monitor(), listing(row(elapsed_s=1)))

    assert first is not None
    assert look(first.monitor, listing(row(elapsed_s=61)), after=MINUTE) is None


def test_what_happened_on_the_way_is_told_once_to_who_wants_it() -> None:
    later = NOW + MINUTE
    again: dict[str, Any] = {"restarts": 1, "submitted": later}
    looks = [
        there(row("PENDING")),
        there(row("CONFIGURING")),
        there(row("RUNNING")),
        there(row("SUSPENDED")),
        there(row("RUNNING")),
        there(row("PENDING", **again)),
        there(row("RUNNING", **again)),
        there(row("SUSPENDED", **again)),
        there(row("TIMEOUT", **again)),
    ]

    turns = seen(*looks, start=monitor(occasions=ALL))

    assert told(turns) == ["started", "suspended", "requeued", "terminal"]
    assert told(seen(*looks, start=monitor())) == ["terminal"]
    assert turns[-1].monitor.submitted == NOW


def test_who_hears_that_a_job_was_put_back_hears_why_it_waits() -> None:
    again: dict[str, Any] = {"restarts": 1, "submitted": NOW + MINUTE}
    held = row("REQUEUE_HOLD", reason="launch failed requeued held", **again)
    turns = seen(there(row()), there(held), start=monitor(occasions=ALL))
    (letter,) = (each for each in turns[-1].letters if each.event is Occasion.REQUEUED)
    assert letter.facts is not None
    assert letter.facts.waits.startswith("It could not be started on its nodes")
    assert "Release it" in letter.facts.waits


def test_a_job_that_started_and_ended_between_two_looks_is_told_as_both() -> None:
    turns = seen(there(row("COMPLETED")), start=monitor(occasions=ALL))

    assert told(turns) == ["started", "terminal"]


def test_a_job_that_was_cancelled_while_it_waited_never_started() -> None:
    turns = seen(there(row("CANCELLED", hosts="")), start=monitor(occasions=ALL))

    assert told(turns) == ["terminal"]


def test_a_job_that_was_requeued_before_the_first_look_is_told_as_requeued() -> None:
    back = there(row("PENDING", restarts=1, submitted=NOW + MINUTE, hosts=""))

    assert told(seen(back, start=monitor(occasions=ALL, submitted=NOW))) == ["requeued"]
    assert told(seen(back, start=monitor(occasions=ALL, submitted=NOW + MINUTE))) == []
    assert told(seen(back, start=monitor(occasions=ALL, submitted=None))) == []


@pytest.mark.parametrize("was_seen", [True, False])
def test_a_job_seen_while_it_is_cleaned_up_for_a_requeue_is_followed_into_its_next_run(
    was_seen: bool,
) -> None:
    """Slurm counts the restart at once, and submits anew when all is cleaned up.

    Meanwhile its accounting says that the node failed.
    """
    failed = memory(run("NODE_FAIL"))
    again: dict[str, Any] = {"restarts": 1, "submitted": NOW + MINUTE}
    looks = [
        *([(listing(row("RUNNING")), failed)] if was_seen else []),
        (listing(row("COMPLETING", restarts=1)), failed),
        (listing(row("PENDING", hosts="", **again)), failed),
        (listing(row("COMPLETED", **again)), failed),
    ]

    turns = seen(*looks, start=monitor(occasions=ALL, submitted=NOW))

    assert told(turns) == ["started", "requeued", "terminal"]
    assert turns[-1].monitor.state == "COMPLETED"


def test_of_a_whole_array_a_task_that_was_requeued_before_is_not_told_as_requeued() -> None:
    tasks = [
        row("PENDING", id=JobId(1, Task(0)), hosts=""),
        row("PENDING", id=JobId(1, Task(1)), hosts="", restarts=1, submitted=NOW + MINUTE),
    ]

    assert told(seen(there(*tasks), start=monitor(occasions=ALL, submitted=NOW))) == []


def test_a_job_that_was_requeued_before_it_was_watched_is_not_told_as_requeued() -> None:
    turns = seen(there(row("RUNNING", restarts=3)), start=monitor(occasions=ALL))

    assert told(turns) == ["started"]


def test_a_single_task_ends_by_itself() -> None:
    task = JobId(1, Task(4))
    waiting = row("PENDING", id=JobId(1, Tasks((Span(3, 9),))))
    own = row("FAILED", id=task, number=17)
    other = row("COMPLETED", id=JobId(1, Task(3)), number=16)

    turns = seen(there(waiting), there(other, own), start=monitor(job=task))

    assert [turn.monitor.state for turn in turns] == ["PENDING", "FAILED"]
    assert told(turns) == ["terminal"]
    assert told(
        seen(
            gone(memory(run(id=task), run("FAILED", id=JobId(1, Task(3))))),
            start=monitor(job=task, submitted=NOW),
        )
    ) == ["terminal"]


def test_a_heterogeneous_job_ends_with_its_leader() -> None:
    leader = row("RUNNING", id=JobId(1, Component(0)))
    other = row("COMPLETED", 2, id=JobId(1, Component(1)))

    turns = seen(
        there(leader, other),
        gone(memory(run("FAILED", id=JobId(1, Component(0))), run(id=JobId(1, Component(1))))),
        start=monitor(),
    )

    assert [turn.monitor.state for turn in turns] == ["RUNNING", "FAILED"]
