"""A cluster for the gateway's tests, whose daemons they may stop."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.gateway import Gateway, running
from tests.e2e.gateway.slurmer_site import SlurmerSite
from tests.e2e.program import fast_tools
from tests.fixtures_hand import ANN, BOB, HandSite
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
def acting_site(lab: Cluster, hand_site: HandSite) -> Iterator[ActingSite]:
    """Where gateways act on the lab, by each way to a hand that root installed."""
    site = ActingSite.make(lab, hand_site)
    yield site
    for user in (ANN, BOB):
        lab.must("scancel", f"--user={user}")
    site.close()


@pytest.fixture
def slurmer_site(acting_site: ActingSite) -> Iterator[SlurmerSite]:
    """Slurmer's set-up, on the lab."""
    site = SlurmerSite.make(acting_site)
    yield site
    site.close()


@pytest.fixture
def acting(acting_site: ActingSite) -> Iterator[ActingGateway]:
    """One that runs, by sudo."""
    with acting_site.running() as started:
        yield started


@pytest.fixture
def gateway(new_gateway: NewGateway) -> Iterator[Gateway]:
    with new_gateway() as started:
        yield started
