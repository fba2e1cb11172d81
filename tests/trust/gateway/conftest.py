"""Where the gateway's enemies try: on the cluster that tests share, by the fixtures of its e2e."""

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.conftest import (
    acting,
    acting_site,
    gateway,
    lab_tools,
    new_gateway,
    slurmer_site,
)

__all__ = ["acting", "acting_site", "gateway", "lab_tools", "new_gateway", "slurmer_site"]

ACCOUNT = "physics"


@pytest.fixture(scope="session")
def lab(slurm_cluster: Cluster, slurm_users: tuple[str, ...]) -> Cluster:
    """The shared cluster, with an account for two people."""
    slurm_cluster.run("sacctmgr", "--immediate", "add", "account", ACCOUNT)
    for user in slurm_users[:2]:
        slurm_cluster.run("sacctmgr", "--immediate", "add", "user", user, f"account={ACCOUNT}")
    return slurm_cluster
