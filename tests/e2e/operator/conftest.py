"""A Slurm behind a gateway, and a Kubernetes, that the operator's tests share."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sandbox.kube import Bed, BedOptions
from sandbox.kube.node import may_be_here
from sandbox.operator_demo.site import bring_image
from sandbox.slurm import Cluster
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.conftest import lab
from tests.e2e.operator.scene import Scene, Served, wait
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.fixtures_kube import FOUR_HOURS_S, NewBed
from tests.fixtures_slurm import skip_here

__all__ = ["lab"]


@pytest.fixture(scope="package")
def node_bed(new_bed: NewBed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """One that runs pods too, of the operator's image by the name that deploy/ has for it."""
    if why := may_be_here():
        skip_here(why)
    with new_bed(BedOptions(with_node=True, lifetime_s=FOUR_HOURS_S)) as bed:
        bring_image(bed, tmp_path_factory.mktemp("image") / "operator.tar")
        yield bed


@pytest.fixture(scope="module")
def acting_site(lab: Cluster, installed_hand: HandSite) -> Iterator[ActingSite]:
    """Where the gateways of one module serve, one after the other."""
    with ActingSite.lasting(lab, installed_hand) as site:
        yield site


@pytest.fixture(scope="module")
def portal(acting_site: ActingSite) -> str:
    """The operator's token."""
    return acting_site.token(ANN)


@pytest.fixture(scope="module")
def served(acting_site: ActingSite) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(acting_site, stack)


@pytest.fixture
def gateway(served: Served) -> ActingGateway:
    """The one that serves; another, where a test before let it die."""
    return served.one()


@pytest.fixture
def scene(
    bed: Bed, acting_site: ActingSite, gateway: ActingGateway, portal: str, tmp_path: Path
) -> Iterator[Scene]:
    """Everything but the operator itself, which each test starts."""
    made = Scene(bed, acting_site, tmp_path)
    made.prepare(portal)
    made.clusters["lab"] = made.lab_behind(gateway)
    made.say(made.clusters)
    yield made
    for user in (ANN, BOB):
        made.slurm(f"scancel --user={user}")
    wait(lambda: not made.running(), lambda: f"still running: {made.running()}")
