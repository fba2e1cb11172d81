"""Which job is meant: by its number, when it was submitted and its mark; or that none is."""

from datetime import UTC, datetime, timedelta

import pytest

from waldur_slurm.gateway.acting.meant import Asked, Known, Meant, judge
from waldur_slurm.gateway.errors import NotThere, NotThisJob
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.names import UserName

THEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
LATER = THEN + timedelta(seconds=1)
ANN = UserName("ann")


def part(name: str = "42", submitted: datetime = THEN, mark: str | None = "m", n: int = 0) -> Known:
    job = job_id(name)
    return Known(job, n or job.number, ANN, submitted, submitted, None if mark is None else {mark})


def asked(name: str = "42", submitted: datetime | None = None, mark: str | None = None) -> Asked:
    return Asked(job_id(name), submitted, mark)


ARRAY = (part("42_[3-9]"), part("42_1", n=43), part("42_2", LATER, n=44))


@pytest.mark.parametrize(
    ("wanted", "parts", "found"),
    [
        (asked(), (part(),), "42"),
        (asked(submitted=THEN), (part(),), "42"),
        (asked(mark="m"), (part(),), "42"),
        (asked(submitted=THEN, mark="m"), (part(),), "42"),
        (asked(submitted=LATER), (part(),), NotThisJob),
        (asked(mark="n"), (part(),), NotThisJob),
        (asked(mark="n"), (part(mark=""),), NotThisJob),
        (asked(submitted=THEN, mark="n"), (part(),), NotThisJob),
        (asked(submitted=LATER, mark="m"), (part(),), NotThisJob),
        (asked(), (), NotThere),
        (asked(submitted=THEN), (), NotThere),
        # What the accounting has kept no comment of is known by its time alone.
        (asked(submitted=THEN, mark="m"), (part(mark=None),), "42"),
        (asked(mark="m"), (part(mark=None),), NotThisJob),
        # An array is itself, though a task of it was requeued; a task has its own time.
        (asked(submitted=THEN), ARRAY, "42"),
        (asked(submitted=LATER), ARRAY, "42"),
        (asked("42_2", submitted=THEN), ARRAY[2:], NotThisJob),
        (asked("42_2", submitted=LATER), ARRAY[2:], "42_2"),
        (asked("42_[3-9]", submitted=THEN), ARRAY[:1], "42_[3-9]"),
        # Asked for by the number that slurmctld counts by.
        (asked("43"), ARRAY[1:2], "42_1"),
        (asked("43"), (part("42+1", n=43),), "42+1"),
        # The same number twice in the accounting: the one that fits, else the newest.
        (asked(), (part(), part(submitted=LATER)), "42"),
        (asked(submitted=THEN), (part(), part(submitted=LATER)), "42"),
    ],
)
def test_it_is_meant_if_all_that_was_said_of_it_fits(
    wanted: Asked, parts: tuple[Known, ...], found: str | type[Exception]
) -> None:
    judged = judge(wanted, parts)
    if isinstance(found, str):
        assert isinstance(judged, Meant), judged
        assert str(judged.job) == found
    else:
        assert isinstance(judged, found)


def test_of_two_of_one_number_the_newest_is_taken_unless_another_is_meant() -> None:
    both = (part(), part(submitted=LATER))
    newest, older = judge(asked(), both), judge(asked(submitted=THEN), both)
    assert isinstance(newest, Meant)
    assert isinstance(older, Meant)
    assert (newest.submitted, older.submitted) == (LATER, THEN)


def test_what_may_be_done_but_once_is_done_to_no_array_of_which_a_task_was_requeued() -> None:
    """A repeated requeue would end the second runs of those that were requeued by the first."""
    assert isinstance(judge(asked(submitted=THEN), ARRAY, each=True), NotThisJob)
    assert isinstance(judge(asked(submitted=THEN), ARRAY[:2], each=True), Meant)
    assert isinstance(judge(asked(), ARRAY, each=True), Meant)


def test_who_is_told_that_it_is_another_job_is_told_why_and_no_mark() -> None:
    by_time = judge(asked(submitted=LATER), (part(),))
    by_mark = judge(asked(mark="mine"), (part(mark="a secret"),))
    assert str(by_time) == "job 42 was submitted, or requeued, at 2026-11-30T12:00:00Z"
    assert str(by_mark) == "job 42 has another mark"
