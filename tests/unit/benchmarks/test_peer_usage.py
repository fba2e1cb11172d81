"""Usage in Waldur is held against the jobs' exact sums, for every agent in the same way."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from benchmarks.peers.site import PEOPLE, past_of
from benchmarks.peers.usage import judge, known_usage
from sandbox.slurm.history_jobs import HistoryOptions, invent
from sandbox.slurm.history_sums import Share, exact_sums

HOURS = {"cpu": 60, "gres/gpu": 60}


def test_people_are_added_up_and_other_months_and_tres_are_left_out() -> None:
    sums = {
        Share("a", "2026-11", "u0", "cpu"): 3600,
        Share("a", "2026-11", "u1", "cpu"): 1800,
        Share("a", "2026-10", "u0", "cpu"): 7200,
        Share("a", "2026-11", "u0", "billing"): 9999,
        Share("b", "2026-11", "u0", "cpu"): 1,
    }

    assert known_usage(sums, "2026-11", HOURS) == {
        ("a", "cpu"): Fraction(3, 2),
        ("b", "cpu"): Fraction(1, 3600),
    }


def test_a_figure_is_right_up_to_the_two_decimals_that_waldur_keeps() -> None:
    known = {("a", "cpu"): Fraction(10, 3), ("b", "cpu"): Fraction(10, 3)}
    reported = {("a", "cpu"): Decimal("3.33"), ("b", "cpu"): Decimal("3.34")}

    found = judge(["a", "b"], known, reported, {"cpu": 60})

    assert (found.figures, found.right, found.missing) == (2, 1, 0)


def test_what_was_not_reported_is_missing_unless_nothing_was_used() -> None:
    known = {("a", "cpu"): Fraction(4)}

    found = judge(["a"], known, {}, HOURS)

    assert (found.figures, found.right, found.missing) == (2, 1, 1)
    assert found.reported_part == {"cpu": 0.0, "gres/gpu": 1.0}


def test_accounts_of_others_do_not_count() -> None:
    known = {("a", "cpu"): Fraction(4), ("other", "cpu"): Fraction(100)}
    reported = {("a", "cpu"): Decimal(2), ("other", "cpu"): Decimal(100)}

    found = judge(["a"], known, reported, {"cpu": 60})

    assert (found.figures, found.right) == (1, 0)
    assert found.reported_part == {"cpu": 0.5}


def test_a_past_comes_to_the_same_under_other_names() -> None:
    options = HistoryOptions(jobs=400, accounts=8, users=24, months=4)
    jobs = tuple(job for job in invent(options) if job.end)
    past = past_of(options, jobs, "2024-05")
    accounts = [f"hpc_{number}" for number in range(8)]
    until = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())

    loaded = list(past.of(accounts))

    assert {job.user for job in loaded} == set(PEOPLE)
    wanted = known_usage(exact_sums(loaded, ZoneInfo("UTC"), until), past.month, HOURS)
    assert known_usage(past.sums_of(accounts, "allocated"), past.month, HOURS) == wanted
    first = known_usage(past.sums_of(accounts[:1], "allocated"), past.month, HOURS)
    assert first == {figure: sum_ for figure, sum_ in wanted.items() if figure[0] == "hpc_0"}
