"""Random walks before an operator in memory: no job is made twice, lost, or another's.

A failure prints the walk as a program, shrunk, and the seed that leads there.
"""

import pytest
from hypothesis import seed

from tests.trust.operator_walks.machine import OperatorWalk
from tests.trust.size import SEED, size
from tests.trust.walking import walk

PARTS = size(1, 4)
WALKS = size(60, 2_000)
STEPS = size(30, 50)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_one_slurmjob_is_one_job_and_nobody_elses_is_touched(part: int) -> None:
    """Each part walks its own ways; the short form the same ones every time."""
    walk(seed(SEED + part)(OperatorWalk), walks=WALKS, steps=STEPS)
