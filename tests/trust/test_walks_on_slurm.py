"""The same walks where Slurm is a real one and Waldur is served over HTTP."""

import pytest
from hypothesis import seed

from sandbox.slurm import Cluster
from tests.fixtures_waldur import Pool, waldur_pool
from tests.trust.size import IS_CAMPAIGN, SEED, size
from tests.trust.walking import walk
from tests.trust.walks.live import LiveSite
from tests.trust.walks.machine import Walk
from waldur_slurm.agent.model.marketplace import Dialect

__all__ = ["waldur_pool"]

PARTS = size(1, 4)
WALKS = size(2, 15)
STEPS = size(8, 30)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_both_sides_agree_when_it_goes_quiet(
    slurm_cluster: Cluster, waldur_pool: Pool, part: int
) -> None:
    class LiveWalk(Walk):
        KIND = "walks on Slurm"

        def new_site(self, dialect: Dialect) -> LiveSite:
            waldur = waldur_pool.take(dialect.value, allocation_delay=0.0)
            return LiveSite(slurm_cluster, waldur, waldur_pool.give_back)

    walk(seed(SEED + part)(LiveWalk), walks=WALKS, steps=STEPS, shrinks=IS_CAMPAIGN)
