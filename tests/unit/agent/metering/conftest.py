"""What is measured is the same on every Waldur: one site, today's."""

from pathlib import Path

import pytest

from tests.unit.agent.push.site import Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)
