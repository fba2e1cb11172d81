"""Job states are read in every form that Slurm prints them in, and in no other."""

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.job_state import JobState
from waldur_slurm.slurm.grammar.states import parse_job_state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("RUNNING", JobState("RUNNING")),
        ("CANCELLED by 1000", JobState("CANCELLED", by=1000)),
        ("CANCELLED by 0", JobState("CANCELLED", by=0)),
        ("COMPLETED,REQUEUED", JobState("COMPLETED", ("REQUEUED",))),
        ("FAILED+COMPLETING+STAGE_OUT", JobState("FAILED", ("COMPLETING", "STAGE_OUT"))),
        ("FLOATING", JobState("FLOATING")),
    ],
)
def test_words_flags_and_who_cancelled_are_told_apart(text: str, state: JobState) -> None:
    assert parse_job_state(text) == state


@pytest.mark.parametrize(
    "text", ["", "running", "RUNNING ", "CANCELLED by bob", "A+", "1", "RUNNING\n", "Ä"]
)
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_job_state(text)
