"""Sites in memory for what push and the metering do, one for each dialect or for today's alone."""

from pathlib import Path

import pytest

from tests.unit.agent.push.site import Site, make_site
from waldur_slurm.agent.model.marketplace import Dialect


@pytest.fixture(params=list(Dialect))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    return make_site(tmp_path, request.param)


@pytest.fixture
def today(tmp_path: Path) -> Site:
    return make_site(tmp_path)


@pytest.fixture(params=[Dialect.TRANSITION, Dialect.CLASSIC])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    return make_site(tmp_path, request.param)
