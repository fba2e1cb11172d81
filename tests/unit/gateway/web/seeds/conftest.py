"""The recordings were made on a server in UTC; times are spelled in the server's zone."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _recorded_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
