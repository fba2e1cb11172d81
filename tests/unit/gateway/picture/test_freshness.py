"""When a picture serves, and when Slurm is asked again: a matter of times alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.gateway.picture.freshness import (
    SILENCE_BORNE_S,
    Answer,
    Readings,
    judge,
    life_s,
)

TTL_S = 5.0


def test_what_was_never_read_is_waited_for() -> None:
    verdict = judge(0.0, TTL_S, Readings())

    assert verdict.answer is Answer.WAIT
    assert verdict.is_renewal_due


@pytest.mark.parametrize(
    ("asked", "answer"), [(99.9, Answer.SHOW), (100.0, Answer.WAIT), (100.1, Answer.WAIT)]
)
def test_a_picture_begun_after_somebody_asked_is_shown_to_him_however_late_it_is(
    asked: float, answer: Answer
) -> None:
    verdict = judge(160.0, TTL_S, Readings(began=100.0, ended=100.1, took_s=0.1), asked)

    assert verdict.answer is answer


@pytest.mark.parametrize(
    ("age", "answer", "is_due"),
    [
        (0.0, Answer.SHOW, False),
        (5.0, Answer.SHOW, False),
        (5.1, Answer.SHOW, True),
        (7.5, Answer.SHOW, True),
        (7.6, Answer.WAIT, True),
    ],
)
def test_a_picture_serves_for_its_life_and_a_little_longer_while_it_is_renewed(
    age: float, answer: Answer, is_due: bool
) -> None:
    verdict = judge(100.0 + age, TTL_S, Readings(began=100.0, ended=100.1, took_s=0.1))

    assert (verdict.answer, verdict.is_renewal_due) == (answer, is_due)


@given(took=st.floats(0, 1000), ttl=st.floats(0.1, 1000))
def test_slurm_spends_a_tenth_of_its_time_at_most(took: float, ttl: float) -> None:
    assert life_s(ttl, took) >= ttl
    assert took <= life_s(ttl, took) * 0.1 + 1e-9


def test_the_last_picture_is_shown_of_a_silent_slurm_for_a_minute_and_then_no_more() -> None:
    known = Readings(began=100.0, ended=110.0, failing_since=110.0)

    assert judge(110.0 + SILENCE_BORNE_S, TTL_S, known).answer is Answer.SHOW
    assert judge(110.1 + SILENCE_BORNE_S, TTL_S, known).answer is Answer.REFUSE


def test_a_silent_slurm_of_which_nothing_is_known_is_a_refusal_not_an_empty_picture() -> None:
    known = Readings(ended=110.0, failing_since=110.0)

    verdict = judge(111.0, TTL_S, known)

    assert verdict.answer is Answer.REFUSE
    assert verdict.again_after_s == pytest.approx(4.0)


@given(
    since=st.floats(0, 1000),
    idle=st.floats(0, 100),
    began=st.none() | st.floats(-1000, 0),
)
def test_nobody_waits_for_a_slurm_that_is_silent_and_it_is_asked_once_a_rest(
    since: float, idle: float, began: float | None
) -> None:
    known = Readings(began=began, ended=since, failing_since=since)

    verdict = judge(since + idle, TTL_S, known)

    assert verdict.answer is not Answer.WAIT
    assert verdict.is_renewal_due == (idle >= TTL_S or since + idle >= since + TTL_S)
