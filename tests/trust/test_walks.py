"""Random walks over a site in memory: nothing is lost, nobody else's is touched, both sides agree.

A failure prints the walk as a program, shrunk, and the seed that leads there.
"""

import pytest
from hypothesis import seed

from tests.trust.size import SEED, size
from tests.trust.walking import walk
from tests.trust.walks.machine import Walk

PARTS = size(2, 8)
WALKS = size(20, 100)
STEPS = size(15, 30)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_both_sides_agree_when_it_goes_quiet(part: int) -> None:
    """Each part walks its own ways; the short form the same ones every time."""
    walk(seed(SEED + part)(Walk), walks=WALKS, steps=STEPS)
