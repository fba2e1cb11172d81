"""Days and months cut time without gaps, overlaps or doubts, in every zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.model.period import Month, Window

# Half hours, summer time in both halves of the world, and zones whose clocks skip midnight.
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Tallinn",
        "America/New_York",
        "America/Havana",
        "Asia/Kolkata",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Pacific/Apia",
        "America/Santiago",
    ]
).map(ZoneInfo)
MONTHS = st.builds(Month, st.integers(1995, 2037), st.integers(1, 12))
MOMENTS = st.integers(10**9, 2 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(MONTHS, ZONES)
def test_days_are_the_whole_month_end_to_end(month: Month, zone: ZoneInfo) -> None:
    whole = month.window(zone)
    days = list(whole.days(zone))

    assert days[0].start == whole.start
    assert days[-1].end == whole.end
    assert all(one.end == other.start for one, other in pairwise(days))
    assert all(timedelta(0) < day.end - day.start <= timedelta(hours=25) for day in days)


@given(MONTHS, ZONES)
def test_months_follow_each_other_without_gap(month: Month, zone: ZoneInfo) -> None:
    assert month.window(zone).end == month.following().window(zone).start
    assert month.following().preceding() == month
    assert Month.parse(str(month)) == month


@given(MOMENTS, ZONES)
def test_every_moment_lies_in_exactly_its_month(moment: datetime, zone: ZoneInfo) -> None:
    month = Month.containing(moment, zone)
    window = month.window(zone)

    assert window.start <= moment < window.end


@given(MOMENTS, MOMENTS, MOMENTS)
def test_before_and_since_never_leave_the_window(a: datetime, b: datetime, at: datetime) -> None:
    whole = Window(min(a, b), max(a, b))

    for part in (whole.before(at), whole.since(at)):
        assert whole.start <= part.start <= part.end <= whole.end
    assert whole.before(at).end == whole.since(at).start
