"""When the next cycle begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.agent.daemon.pace import BEFORE_THE_EDGE, Pace
from waldur_slurm.model.period import Month

TALLINN = ZoneInfo("Europe/Tallinn")
MINUTE = timedelta(minutes=1)
PULL = Pace(interval=MINUTE)
PUSH = Pace(interval=timedelta(hours=1), billing_zone=TALLINN)


def test_the_interval_is_from_start_to_start() -> None:
    assert PULL.pause_after(timedelta(seconds=20), 0, dice=0.5) == timedelta(seconds=40)


def test_agents_that_started_together_drift_apart() -> None:
    earliest = PULL.pause_after(timedelta(0), 0, dice=0.0)
    latest = PULL.pause_after(timedelta(0), 0, dice=1.0)

    assert (earliest, latest) == (timedelta(seconds=57), timedelta(seconds=63))


def test_a_cycle_that_overran_its_interval_is_followed_by_a_short_rest() -> None:
    assert PULL.pause_after(timedelta(hours=2), 0, dice=0.5) == timedelta(seconds=1)


def test_a_side_that_is_down_is_asked_less_and_less() -> None:
    pauses = [
        PULL.pause_after(timedelta(seconds=15), failures, dice=0.0).total_seconds()
        for failures in range(1, 8)
    ]

    assert pauses == [30, 60, 120, 240, 300, 300, 300]


def test_a_push_that_failed_does_not_wait_for_its_hour() -> None:
    pauses = [
        PUSH.pause_after(timedelta(0), failures, dice=0.0).total_seconds()
        for failures in (1, 2, 7, 8, 1000)
    ]

    assert pauses == [30, 60, 1_920, 3_600, 3_600]


@given(
    took=st.timedeltas(timedelta(0), timedelta(days=2)),
    failures=st.integers(0, 10_000),
    dice=st.floats(0, 1, exclude_max=True),
)
def test_there_is_always_a_pause_and_never_an_endless_one(
    took: timedelta, failures: int, dice: float
) -> None:
    pause = PULL.pause_after(took, failures, dice)

    assert timedelta(seconds=1) <= pause <= timedelta(minutes=5) * 1.05


@pytest.mark.parametrize(
    ("now", "last_call"),
    [
        (datetime(2026, 11, 30, 20, 0, tzinfo=UTC), datetime(2026, 11, 30, 21, 50, tzinfo=UTC)),
        (datetime(2026, 11, 30, 21, 50, tzinfo=UTC), datetime(2026, 12, 31, 21, 50, tzinfo=UTC)),
        (datetime(2026, 11, 30, 22, 0, tzinfo=UTC), datetime(2026, 12, 31, 21, 50, tzinfo=UTC)),
        # March ends in summer time there.
        (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 31, 20, 50, tzinfo=UTC)),
    ],
)
def test_push_is_called_shortly_before_the_month_closes_where_bills_are_written(
    now: datetime, last_call: datetime
) -> None:
    assert PUSH.last_call(now) == last_call


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_the_last_call_always_lies_ahead_and_within_its_month(now: datetime) -> None:
    last_call = PUSH.last_call(now)

    assert last_call is not None
    assert last_call > now
    edge = Month.containing(last_call, TALLINN).window(TALLINN).end
    assert edge - last_call == BEFORE_THE_EDGE


def test_pull_has_no_last_call() -> None:
    assert PULL.last_call(datetime(2026, 11, 30, 20, 0, tzinfo=UTC)) is None
