"""Which tests are given to a worker together."""

import re

import pytest

from tests.places import PROJECT
from tests.units import LONGEST_FIRST, pytest_make_parametrize_id, rank_of, unit_of

CONTRACT = "tests/contract/test_live.py::test_a_job_is_read"


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        (f"{CONTRACT}[docker_24_11]", "Slurm 24_11 in docker"),
        (f"{CONTRACT}[operator_docker_24_11-7]", "Slurm 24_11 in docker"),
        ("tests/sandbox_docker/test_cluster.py::test_it_starts[24.11]", "Slurm 24_11 in docker"),
        (f"{CONTRACT}[native_22_05]", "Slurm 22_05"),
        (f"{CONTRACT}[fake]", "tests/contract/test_live.py"),
        ("tests/unit/model/test_names.py::test_a_name", "tests/unit/model"),
        ("tests/e2e/test_pull.py::test_a[24.11]", "tests/e2e/test_pull.py"),
        ("tests/e2e/operator/test_killed.py::test_a", "tests/e2e/operator on one Kubernetes"),
        ("tests/e2e/operator/test_slurm_jobs.py::test_a", "tests/e2e/operator on one Kubernetes"),
        (
            "tests/e2e/gateway/test_x_killed.py::test_a[b]",
            "tests/e2e/gateway/test_x_killed.py::test_a[b]",
        ),
    ],
)
def test_a_unit_shares_what_is_slow_to_start(test: str, unit: str) -> None:
    assert unit_of(test) == unit


def test_what_is_named_as_long_is_there_and_begun_before_the_rest() -> None:
    of_files = [name for name in LONGEST_FIRST if not name.startswith("Slurm")]

    assert [name for name in of_files if not [*PROJECT.glob(f"{name}*")]] == []
    assert rank_of("tests/e2e/operator on another") == 0
    assert rank_of("tests/e2e/test_remedies.py") < rank_of("tests/e2e/test_pull.py")
    assert rank_of("tests/new/test_of_tomorrow.py") < rank_of("tests/unit/model")


def test_a_campaign_takes_all_that_make_test_tries_in_part() -> None:
    told = re.search(r"^AT_LENGTH := (.*?[^\\])\n", (PROJECT / "Makefile").read_text(), re.M | re.S)
    assert told
    parts = r"trust\.size import .*\b(?:IS_CAMPAIGN|size)\b", r".*mortal import .*\bmoments\b"
    in_part = re.compile(rf"^from tests\.(?:{'|'.join(parts)})", re.MULTILINE)
    files = [*(PROJECT / "tests").rglob("test_*.py")]
    found = {str(each.relative_to(PROJECT)) for each in files if in_part.search(each.read_text())}

    assert len(found) > 8
    assert {each for each in found if not each.startswith("tests/trust/")} - {
        *told[1].replace("\\\n", " ").split()
    } == set()


def test_a_long_value_does_not_become_a_long_name() -> None:
    assert pytest_make_parametrize_id("short") is None
    assert pytest_make_parametrize_id(7) is None
    for value in ("\n" * 20_000_000, b"\xff" * 5000, "\u00e4" * 300):
        shown = pytest_make_parametrize_id(value)
        assert shown is not None
        assert shown.isascii()
        assert shown.isprintable()
        assert len(shown) < 500
        assert str(len(value)) in shown
