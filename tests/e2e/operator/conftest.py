"""A Slurm behind a gateway, and a Kubernetes, that the operator's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kube import Bed
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.conftest import acting_site, lab
from tests.e2e.operator.scene import Scene
from tests.fixtures_hand import ANN

__all__ = ["acting_site", "lab"]


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
