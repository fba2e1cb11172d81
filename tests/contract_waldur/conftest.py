"""One suite over six sites: the fake and the served marketplace, in three dialects each."""

from collections.abc import Iterator

import pytest

from tests.contract_waldur.sites import FakeSite, ServedSite, Site
from tests.fakes.waldur import fake_marketplace
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur, start_waldur, waldur_pool
from waldur_slurm.agent.model.marketplace import Dialect

__all__ = ["start_waldur", "waldur_pool"]


@pytest.fixture(params=[f"{kind}-{name}" for kind in ("fake", "served") for name in DIALECT_NAMES])
def site(request: pytest.FixtureRequest, start_waldur: StartWaldur) -> Iterator[Site]:
    kind, _, name = request.param.partition("-")
    if kind == "fake":
        yield FakeSite(Dialect(name), fake_marketplace(Dialect(name)))
        return
    served = ServedSite(start_waldur(name, allocation_delay=0.0))
    if name == "today":
        served.waldur.set_trait("takes_any_username", False)  # as the fake does
    yield served
    served.close()


@pytest.fixture(params=DIALECT_NAMES)
def served(request: pytest.FixtureRequest, start_waldur: StartWaldur) -> Iterator[ServedSite]:
    site = ServedSite(start_waldur(request.param, allocation_delay=0.0))
    yield site
    site.close()
