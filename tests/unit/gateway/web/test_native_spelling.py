"""What the document says of times and numbers is what their readers take."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.web.native.filters import read_id, read_number, read_time
from waldur_slurm.gateway.web.native.spelling import JOB_ID, MOST_NUMBER, TIME

FIRST, LAST = date(1971, 1, 1), date(2099, 12, 31)


@given(st.from_regex(TIME, fullmatch=True))
def test_whatever_is_spelled_as_the_document_says_is_a_time(text: str) -> None:
    assert read_time(text).tzinfo is not None


def test_every_day_of_these_years_is_taken_and_no_other_day() -> None:
    day, taken = FIRST, 0
    while day <= LAST:
        assert read_time(day.isoformat()) == datetime(day.year, day.month, day.day, tzinfo=UTC)
        day, taken = day + timedelta(days=1), taken + 1
    spelled = (
        f"{year}-{month:02}-{number:02}"
        for year in range(FIRST.year, LAST.year + 1)
        for month in range(14)
        for number in range(33)
    )
    assert sum(1 for text in spelled if TIME.fullmatch(text)) == taken


@pytest.mark.parametrize(
    "text", ["", "now", "0", "1970-12-31", "2100-01-01", "2026-11-30 12:00", "2026-11-30T25:00"]
)
def test_what_is_spelled_otherwise_is_no_time(text: str) -> None:
    with pytest.raises(WrongAsk):
        read_time(text)


def test_the_greatest_numbers_that_the_document_allows_are_read() -> None:
    assert read_number(str(MOST_NUMBER)) == MOST_NUMBER
    assert read_number(str(-MOST_NUMBER)) == -MOST_NUMBER
    with pytest.raises(WrongAsk):
        read_number(str(MOST_NUMBER + 1))


@given(st.from_regex(JOB_ID["pattern"].replace("$", r"\Z")))
def test_whatever_is_spelled_as_a_job_is_one(text: str) -> None:
    assert str(read_id(text)) == text
