"""Whose job a mark means: what one handed in himself, whoever copied the mark or took it off."""

from datetime import UTC, datetime, timedelta

from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.gateway.submits.sought import Sought
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANN, BOB = UserName("ann"), UserName("bob")
OPERATOR = "token:operator"


def attempt(
    number: int | None = 7,
    *,
    user: UserName = ANN,
    owner: str = OPERATOR,
    mark: str = "m",
    submitted: datetime | None = NOON,
) -> Attempt:
    placed = None if number is None else Placed(JobId(number), "lab", submitted)
    return Attempt(Key(owner, mark), "lab", user, "", mark, NOON, NOON, placed=placed)


def told(
    sought: Sought,
    number: int = 7,
    user: UserName = ANN,
    comment: str = "m",
    at: datetime = NOON,
    restarts: int = 0,
) -> str | None:
    return sought.mark_of(JobId(number), user, comment, at, restarts)


def test_a_job_that_lost_its_comment_is_the_one_that_was_handed_in() -> None:
    assert told(Sought(["m"], [attempt()], OPERATOR), comment="of my own") == "m"


def test_a_mark_that_was_copied_means_no_other_job_whoever_copied_it() -> None:
    sought = Sought(["m"], [attempt()], OPERATOR)
    assert [told(sought, 8), told(sought, 8, BOB)] == [None, None]


def test_while_an_own_attempt_is_open_only_its_users_jobs_may_be_it() -> None:
    sought = Sought(["m"], [attempt(None)], OPERATOR)
    assert [told(sought, 8), told(sought, 8, BOB)] == ["m", None]


def test_a_strangers_attempt_with_the_same_mark_takes_nobody_his_job() -> None:
    bobs = attempt(8, user=BOB, owner="token:bob")
    sought = Sought(["m"], [bobs, attempt()], OPERATOR)
    assert [told(sought, 7), told(sought, 8, BOB)] == ["m", None]
    assert told(Sought(["m"], [bobs], OPERATOR), 8, BOB) == "m"


def test_a_number_that_came_again_is_another_job() -> None:
    later = NOON + timedelta(days=9)
    sought = Sought(["m"], [attempt()], OPERATOR)
    assert told(sought, comment="", at=later) is None
    assert told(sought, comment="", at=later, restarts=1) == "m"


def test_a_job_whose_time_slurm_has_not_told_is_known_by_its_mark_too() -> None:
    sought = Sought(["m"], [attempt(submitted=None)], OPERATOR)
    assert [told(sought), told(sought, comment="of my own")] == ["m", None]


def test_jobs_are_asked_for_by_number_only_where_all_are_known() -> None:
    sought = Sought(["m", "n", "o"], [attempt(), attempt(None, mark="n")], OPERATOR)
    assert sought.jobs_of(["m"]) == frozenset({JobId(7)})
    assert [sought.jobs_of(["m", "n"]), sought.jobs_of(["m", "o"])] == [None, None]
    assert sought.jobs_of([]) == frozenset()
