"""Options are checked when they are made, and survive being written down."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.slurm import ClusterOptions


def test_options_read_back_are_those_that_were_written() -> None:
    options = ClusterOptions(
        nodes=3,
        tcp="stock",
        clock_offset=timedelta(days=-40, seconds=7),
        lifetime=timedelta(minutes=5),
        other_clusters=("north",),
        accounting_of="/srv/lab",
        slurm_conf={"PriorityUsageResetPeriod": "NONE"},
        tres=("license/x",),
    )
    assert ClusterOptions.from_json(json.dumps(options.to_json())) == options


@pytest.mark.parametrize(
    ("mistake", "reason"),
    [
        ({"nodes": 0}, "nodes must be 1 to 50, not 0"),
        ({"gpus": -1}, "gpus not negative"),
        ({"tcp": "slow"}, "tcp must be fast or stock, not 'slow'"),
        ({"name": "Lab-1"}, "'Lab-1' does not serve as a cluster's name"),
        ({"other_clusters": ("a b",)}, "'a b' does not serve"),
        ({"lifetime": timedelta(0)}, "lifetime must be positive"),
    ],
)
def test_a_mistake_is_told_when_the_options_are_made(mistake: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ClusterOptions(**mistake)
