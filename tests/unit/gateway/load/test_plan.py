"""What of the archive is shown, and what is let go with age."""

from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.gateway.load.plan import (
    DAY_S,
    Span,
    plan_thinning,
    slot_of,
    until_next_s,
    wanted,
)

NOW = 1_796_000_000
YEAR_S = 365 * DAY_S


def test_a_span_is_so_long_and_ends_so_long_ago() -> None:
    assert wanted(NOW, 60, 100, 30).span == Span(NOW - 130, NOW - 30)
    assert not wanted(NOW, 60, 100, 30).newest_only


def test_without_a_time_the_newest_sample_alone_is_wanted_although_it_be_late() -> None:
    found = wanted(NOW, 60, None, 0)
    assert found.newest_only
    assert found.span == Span(NOW - 90, NOW)


def test_a_negative_offset_reaches_into_the_future() -> None:
    assert wanted(NOW, 60, 60, -5).span == Span(NOW - 55, NOW + 5)


def test_two_who_take_a_sample_in_one_wait_time_have_one_slot() -> None:
    assert slot_of(120, 60) == slot_of(179.9, 60)
    assert slot_of(180, 60) != slot_of(179.9, 60)
    assert until_next_s(150.0, 60) == 30.0


def test_all_of_two_days_is_kept_and_nothing_beyond_the_days() -> None:
    young = range(NOW - 2 * DAY_S, NOW, 60)
    old = [NOW - YEAR_S - 1, NOW - YEAR_S - 2]
    assert [*plan_thinning([*sorted(old), *young], NOW, YEAR_S)] == sorted(old)


def test_of_each_span_of_older_time_the_first_is_kept() -> None:
    begin = (NOW - 200 * DAY_S) // 3600 * 3600
    times = [*range(begin, begin + 7200, 60)]
    dropped = {*plan_thinning(times, NOW, YEAR_S)}
    assert [time for time in times if time not in dropped] == [begin, begin + 3600]


@given(
    st.lists(st.integers(NOW - 2 * YEAR_S, NOW), unique=True, max_size=200).map(sorted),
    st.integers(0, 40 * DAY_S),
)
def test_thinning_again_drops_nothing_more_and_later_only_what_aged(
    times: list[int], later: int
) -> None:
    left = [time for time in times if time not in {*plan_thinning(times, NOW, YEAR_S)}]
    assert [*plan_thinning(left, NOW, YEAR_S)] == []
    assert {*plan_thinning(left, NOW + later, YEAR_S)} <= {*left}


def test_a_year_of_samples_each_minute_is_thinned_to_some_thousands() -> None:
    times = range(NOW - YEAR_S, NOW, 60)
    left = len(times) - sum(1 for _ in plan_thinning(times, NOW, YEAR_S))
    assert 10_000 < left < 25_000
