"""Random walks before a gateway in memory: nothing is made twice, lost, or told that is not so.

A failure prints the walk as a program, shrunk, and the seed that leads there.
"""

import pytest
from hypothesis import seed

from tests.trust.gateway_walks.machine import GatewayWalk
from tests.trust.size import SEED, size
from tests.trust.walking import walk

PARTS = size(1, 4)
WALKS = size(100, 1_500)
STEPS = size(30, 50)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_clients_are_told_the_truth_and_all_is_done_once(part: int) -> None:
    """Each part walks its own ways; the short form the same ones every time."""
    walk(seed(SEED + part)(GatewayWalk), walks=WALKS, steps=STEPS)
