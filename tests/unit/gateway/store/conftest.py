"""A database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from waldur_slurm.gateway.store.sqlite import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "state" / "gateway.sqlite")
    yield made
    made.close()
