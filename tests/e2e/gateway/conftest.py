"""A cluster for the gateway's tests, whose daemons they may stop."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.gateway import Gateway, running
from tests.e2e.program import fast_tools
from tests.fixtures_slurm import NewCluster

NewGateway = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture(scope="package")
def lab(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    """One with an account `physics` for two people."""
    cluster = new_slurm_cluster(ClusterOptions())
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in slurm_users[:2]:
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    return cluster


@pytest.fixture(scope="package")
def lab_tools(lab: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fast_tools(tmp_path_factory.mktemp("gateway-tools") / "bin", lab.environ)


@pytest.fixture
def new_gateway(lab: Cluster, lab_tools: Path, tmp_path: Path) -> NewGateway:
    """Serve the lab; what is given by name are variables."""

    def start(**changes: object) -> AbstractContextManager[Gateway]:
        return running(lab, lab_tools, tmp_path, **changes)  # type: ignore[arg-type]  # a typo fails at once

    return start


@pytest.fixture
def gateway(new_gateway: NewGateway) -> Iterator[Gateway]:
    with new_gateway() as started:
        yield started
