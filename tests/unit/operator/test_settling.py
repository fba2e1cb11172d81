"""That there is no job is said only where it is certain."""

from datetime import timedelta

import pytest

from waldur_slurm.operator.ways.entries import parse_entry
from waldur_slurm.operator.ways.settling import DOUBT, SLOW, Evidence, why_unknown
from waldur_slurm.slurm.grammar.keeping import Rules

AGE = timedelta(seconds=300)
DOUBT_S = int(DOUBT.total_seconds())


def why(
    age_s: int,
    *,
    took: timedelta = timedelta(seconds=1),
    min_job_age: timedelta | None = AGE,
    stores: bool = True,
    is_behind: bool = False,
    line: str = "open 1000 n f 0 m",
) -> str:
    entry = parse_entry(line)
    assert entry is not None
    rules = Rules(min_job_age, stores)
    return why_unknown(entry, Evidence(1000 + age_s, took, rules, is_behind))


def test_while_sbatch_may_still_have_an_effect_nothing_is_concluded() -> None:
    assert "on its way" in why(DOUBT_S - 1)
    assert why(DOUBT_S) == ""


def test_a_slow_list_proves_nothing() -> None:
    assert "too slow" in why(DOUBT_S, took=SLOW + timedelta(seconds=1))


def test_once_slurmctld_may_have_forgotten_it_the_accounting_has_to_say_so_too() -> None:
    assert why(299) == ""
    assert why(300) == ""
    assert "keeps no comments" in why(300, stores=False)
    assert "not have heard" in why(300, is_behind=True)
    assert "before it might begin" in why(300, line="open 1000 n f 1 m")


def test_a_slurmctld_that_forgets_nothing_is_believed_for_ever() -> None:
    assert why(10**6, min_job_age=None, stores=False) == ""


@pytest.mark.parametrize("age_s", [0, DOUBT_S, 10**6])
def test_a_job_that_was_handed_in_is_never_absent(age_s: int) -> None:
    assert "job 7 was handed in" in why(age_s, line="placed 1000 n f 0 m 7")
