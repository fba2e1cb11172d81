"""A job's number is read as Slurm writes it, and written back to the letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.batch import Component, JobId, Span, Task, Tasks, job_id

NUMBERS = st.integers(0, 999_999)
SPANS = st.builds(
    lambda first, count, step: Span(first, first + count * step, step if count else 1),
    NUMBERS,
    st.integers(0, 20),
    st.integers(1, 5),
)
PARTS = st.one_of(
    st.none(),
    st.builds(Task, NUMBERS),
    st.builds(Component, NUMBERS),
    st.builds(
        Tasks, st.lists(SPANS, min_size=1, max_size=5).map(tuple), st.none() | st.integers(0, 99)
    ),
)


@given(st.integers(1, 2**32 - 1), PARTS)
def test_a_number_is_read_back_from_what_it_is_written_as(
    number: int, part: Task | Tasks | Component | None
) -> None:
    written = JobId(number, part)
    assert job_id(str(written)) == written
    assert job_id(str(written)).whole == JobId(number)


@given(st.text() | st.from_regex(r"[0-9_+%:,\[\]-]{1,20}", fullmatch=True))
def test_any_text_comes_out_unchanged_or_not_at_all(text: str) -> None:
    try:
        found = job_id(text)
    except InvalidName:
        return
    assert str(found) == text


@given(st.lists(SPANS, min_size=1, max_size=5), st.integers(0, 1_000_100))
def test_tasks_are_counted_and_found_without_being_listed(spans: list[Span], task: int) -> None:
    tasks = Tasks(tuple(spans))
    assert tasks.count == len([*tasks.numbers])
    assert tasks.holds(task) == (task in [*tasks.numbers])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("123", None),
        ("123_4", Task(4)),
        ("123_0", Task(0)),
        ("123+0", Component(0)),
        ("123_[1-9%2]", Tasks((Span(1, 9),), 2)),
        ("123_[0,3-9:2,12]", Tasks((Span(0, 0), Span(3, 9, 2), Span(12, 12)))),
    ],
)
def test_what_slurm_prints_is_understood(text: str, part: Task | Tasks | Component | None) -> None:
    assert job_id(text) == JobId(123, part)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "-1", "0123", "1.batch", "1_", "1+", "1_[]", "1_[2-1]", "1_[1,]", "1_4_5"),
        *(
            "1+0+1",
            "1_[1-9,...]",
            "1_[1-4%]",
            "1_[1-1]",
            "1_[1-4:1]",
            "1_04",
            " 1",
            "1\n",
            "\u0661",
        ),
        *("4294967296", "99999999999", "1_[0-99999999]", "1_*"),
    ],
)
def test_what_is_not_a_number_of_a_job_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        job_id(text)


def test_commands_are_not_told_how_many_tasks_run_at_once() -> None:
    assert job_id("12_[1-9%2]").named == "12_[1-9]"
    assert job_id("12_3").named == "12_3"
    assert job_id("12+1").named == "12+1"
