"""How `/history` is asked: every way in which people, forms and programs write a comparator."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.records.record import Numbers, RecordsWanted
from waldur_slurm.gateway.web.seeds.restapi_history import MOST, records_wanted
from waldur_slurm.gateway.web.seeds.restapi_words import clock, limit_in_words, memory_in_words


def wanted(text: str) -> RecordsWanted:
    return records_wanted(parse_qsl(text, keep_blank_values=True))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("jobid<=9", Numbers(None, 9)),
        ("jobid%3C%3D9", Numbers(None, 9)),
        ("jobid%3C=9", Numbers(None, 9)),
        ("jobid[lte]=9", Numbers(None, 9)),
        ("jobid%5Blte%5D=9", Numbers(None, 9)),
        ("jobid<9", Numbers(None, 8)),
        ("jobid%3C9", Numbers(None, 8)),
        ("jobid[lt]=9", Numbers(None, 8)),
        ("jobid>=9", Numbers(9, None)),
        ("jobid%3E%3D9", Numbers(9, None)),
        ("jobid[gte]=9", Numbers(9, None)),
        ("jobid>9", Numbers(10, None)),
        ("jobid%3E9", Numbers(10, None)),
        ("jobid[gt]=9", Numbers(10, None)),
        ("jobid=9", Numbers(9, 9)),
        ("jobid%3D9", Numbers(9, 9)),
        ("jobid>=3&jobid<=9", Numbers(3, 9)),
        ("jobid>3&user=ann&jobid<9", Numbers(4, 8)),
        ("jobid<=9&jobid<=7", Numbers(None, 7)),
        ("jobidx=9", Numbers()),
    ],
)
def test_comparators_are_understood_however_they_are_written(text: str, numbers: Numbers) -> None:
    assert wanted(text).numbers == numbers


@given(
    st.lists(
        st.tuples(st.sampled_from(["=", "<", ">", "<=", ">="]), st.integers(0, 50)), max_size=4
    ),
    st.integers(1, 50),
)
def test_all_bounds_hold_together(bounds: list[tuple[str, int]], number: int) -> None:
    holds = {
        "=": lambda bound: number == bound,
        "<": lambda bound: number < bound,
        ">": lambda bound: number > bound,
        "<=": lambda bound: number <= bound,
        ">=": lambda bound: number >= bound,
    }
    text = "&".join(f"jobid{sign}{bound}" for sign, bound in bounds)
    expected = all(holds[sign](bound) for sign, bound in bounds)
    assert wanted(text).numbers.hold(number) == expected


def test_nothing_said_is_ten_of_everybodys() -> None:
    assert wanted("") == RecordsWanted(limit=10)


@pytest.mark.parametrize(
    "text",
    [
        "limit=x",
        "limit=",
        "limit=-1",
        "offset=-1",
        f"limit={MOST + 1}",
        "jobid=",
        "jobid<=",
        "jobid=1.5",
        "jobid=9999999999999999999999",
        "state=RUNNING",
        "associd=one",
        "limit=\u0663",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(WrongAsk):
        wanted(text)


@pytest.mark.parametrize(
    ("number", "word"),
    [(0, "PENDING"), (3, "COMPLETED"), (10, "DEADLINE"), (11, "OUT_OF_MEMORY")],
)
def test_states_are_slurms_numbers(number: int, word: str) -> None:
    assert wanted(f"state={number}").state == word


def test_a_number_that_is_no_state_is_nobodys() -> None:
    assert wanted("state=77").state not in (None, "PENDING")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0d:0h:0m"), (1590, "1d:2h:30m"), (2**32 - 1, "2982616d:4h:15m")],
)
def test_limits_are_spelled_as_ever(minutes: int, words: str) -> None:
    assert limit_in_words(minutes) == words


@pytest.mark.parametrize(
    ("mib", "words"),
    [(0, "0M"), (4000, "4000M"), (1024, "1G"), (64000, "62.50G"), (128000, "125G"), (2**20, "1T")],
)
def test_memory_is_spelled_as_slurm_does(mib: int, words: str) -> None:
    assert memory_in_words(mib) == words


def test_a_span_of_time_is_spelled_as_ever() -> None:
    assert (clock(0), clock(93784)) == ("00:00:00", "1-02:03:04")
