"""What may be concluded from the words of a job's state, and what may not."""

import pytest

from waldur_slurm.model.job_state import JobOutcome, JobState, Phase

ENDS = {
    "BOOT_FAIL": JobOutcome.BOOT_FAIL,
    "CANCELLED": JobOutcome.CANCELLED,
    "COMPLETED": JobOutcome.SUCCESS,
    "DEADLINE": JobOutcome.DEADLINE,
    "FAILED": JobOutcome.FAILED,
    "NODE_FAIL": JobOutcome.NODE_FAIL,
    "OUT_OF_MEMORY": JobOutcome.OUT_OF_MEMORY,
    "PREEMPTED": JobOutcome.PREEMPTED,
    "TIMEOUT": JobOutcome.TIMEOUT,
}
OPEN = {
    "PENDING": Phase.PENDING,
    "RUNNING": Phase.RUNNING,
    "SUSPENDED": Phase.SUSPENDED,
    "STOPPED": Phase.SUSPENDED,
    "CONFIGURING": Phase.RUNNING,
    "COMPLETING": Phase.RUNNING,
    "REQUEUED": Phase.PENDING,
    "REQUEUE_HOLD": Phase.PENDING,
    "REQUEUE_FED": Phase.PENDING,
    "RESIZING": Phase.RUNNING,
    "RESV_DEL_HOLD": Phase.PENDING,
    "SIGNALING": Phase.RUNNING,
    "SPECIAL_EXIT": Phase.PENDING,
    "STAGE_OUT": Phase.RUNNING,
}


@pytest.mark.parametrize(("word", "outcome"), ENDS.items())
def test_a_job_that_ended_says_how(word: str, outcome: JobOutcome) -> None:
    state = JobState(word)

    assert (state.phase, state.is_terminal, state.outcome) == (Phase.FINISHED, True, outcome)


@pytest.mark.parametrize(("word", "phase"), OPEN.items())
def test_a_job_that_has_not_ended_has_no_outcome(word: str, phase: Phase) -> None:
    state = JobState(word)

    assert (state.phase, state.is_terminal, state.outcome) == (phase, False, None)


@pytest.mark.parametrize("base", ENDS)
@pytest.mark.parametrize("flag", ["REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"])
def test_a_job_that_ended_and_is_queued_again_has_not_ended(base: str, flag: str) -> None:
    state = JobState(base, (flag,))

    assert (state.phase, state.is_terminal, state.outcome) == (Phase.PENDING, False, None)


@pytest.mark.parametrize("flag", ["COMPLETING", "STAGE_OUT"])
def test_a_job_that_still_holds_its_nodes_has_not_ended(flag: str) -> None:
    assert JobState("FAILED", (flag,)).phase is Phase.RUNNING


def test_a_job_that_another_cluster_took_over_has_ended_here_and_nobody_says_how() -> None:
    state = JobState("REVOKED")

    assert (state.is_terminal, state.outcome) == (True, None)


def test_a_word_that_is_not_known_ends_nothing() -> None:
    assert JobState("FLOATING").phase is Phase.UNKNOWN
    assert JobState("COMPLETED", ("FLOATING",)).phase is Phase.UNKNOWN
    assert JobState("RUNNING", ("FLOATING",)).phase is Phase.RUNNING
    assert not JobState("FLOATING").is_terminal
    assert not JobState("COMPLETED", ("FLOATING",)).is_terminal


def test_a_flag_that_says_nothing_about_the_end_leaves_it_an_end() -> None:
    assert JobState("FAILED", ("LAUNCH_FAILED",)).outcome is JobOutcome.FAILED


def test_a_state_is_written_as_slurm_has_it() -> None:
    assert str(JobState("CANCELLED", by=1000)) == "CANCELLED by 1000"
    assert str(JobState("COMPLETED", ("REQUEUED",))) == "COMPLETED+REQUEUED"
