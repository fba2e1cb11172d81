"""Over ssh a mark means a job of the account itself, or none."""

import pytest

from tests.fakes.cluster import live_job
from waldur_slurm.model.names import UserName
from waldur_slurm.operator.ways.entries import parse_entry
from waldur_slurm.operator.ways.slurm_views import Marks


@pytest.mark.parametrize("line", ["", "open 1000 n f 0 m"])
def test_a_strangers_job_is_not_what_a_mark_means_though_nothing_came_of_the_first_request(
    line: str,
) -> None:
    entry = parse_entry(line) if line else None
    means = Marks(["m"], "ann", {"m": entry} if entry else {})

    assert bool(entry) == bool(line)
    assert means.of_live(live_job(8, user=UserName("bob"), comment="m")) is None
    assert means.of_live(live_job(9, user=UserName("ann"), comment="m")) == "m"
