"""One user and her home, by every way to the hand; her files in a fake as well."""

import pytest

from tests.contract.acting.files_site import FakeFilesSite, FilesSite, HandFilesSite
from tests.fixtures_hand import ANN, WAYS, HandSite
from waldur_slurm.slurm.transports.on_behalf import Behalf


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(hand_site: HandSite) -> str:
    return str(hand_site.home(ANN))


@pytest.fixture
def ann(hand_site: HandSite, way: str) -> Behalf:
    return hand_site.behalf(way).of(ANN)


@pytest.fixture(params=("fake", *WAYS))
def site(request: pytest.FixtureRequest) -> FilesSite:
    if request.param == "fake":
        return FakeFilesSite()
    hand_site: HandSite = request.getfixturevalue("hand_site")
    return HandFilesSite(hand_site, request.param)
