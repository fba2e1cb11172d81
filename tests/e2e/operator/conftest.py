"""A Slurm behind a gateway, and a Kubernetes, that the operator's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kube import Bed
from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.operator.scene import Scene
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.fixtures_slurm import NewCluster


@pytest.fixture(scope="package")
def lab(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    cluster = new_slurm_cluster(ClusterOptions())
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in slurm_users[:2]:
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    return cluster


@pytest.fixture
def acting_site(lab: Cluster, hand_site: HandSite) -> Iterator[ActingSite]:
    site = ActingSite.make(lab, hand_site)
    yield site
    for user in (ANN, BOB):
        lab.must("scancel", f"--user={user}")
    site.close()


@pytest.fixture
def gateway(acting_site: ActingSite) -> Iterator[ActingGateway]:
    with acting_site.running() as started:
        yield started


@pytest.fixture
def scene(bed: Bed, acting_site: ActingSite, gateway: ActingGateway, tmp_path: Path) -> Scene:
    """Everything but the operator itself, which each test starts."""
    made = Scene(bed, acting_site, tmp_path)
    made.prepare(acting_site.token(ANN))
    made.clusters["lab"] = made.lab_behind(gateway)
    made.say(made.clusters)
    return made
