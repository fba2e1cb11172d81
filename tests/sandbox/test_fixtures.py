"""A missing Slurm is never taken for a passed test."""

import pytest

from tests.fixtures_slurm import require


def test_a_missing_slurm_skips_loudly_on_a_laptop_and_fails_in_ci() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"NO REAL SLURM HERE.*slurmdbd"):
        require(["slurmdbd"], in_ci=False)
    with pytest.raises(pytest.fail.Exception, match=r"NO REAL SLURM HERE.*slurmdbd"):
        require(["slurmdbd"], in_ci=True)


def test_nothing_missing_lets_the_test_run() -> None:
    require([], in_ci=True)
