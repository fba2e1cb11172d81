"""What every test of the stand-in uses: a running one, and somebody who asks it."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.waldur import Waldur
from tests.fixtures_waldur import start_waldur, waldur_pool, waldur_server
from tests.standin.asking import Asking

__all__ = ["asking", "start_waldur", "waldur_pool", "waldur_server"]


@pytest.fixture
def asking() -> Iterator[Callable[[Waldur], Asking]]:
    """Ask this Waldur; connections are closed after the test."""
    opened: list[Asking] = []

    def ask(waldur: Waldur) -> Asking:
        opened.append(Asking(waldur))
        return opened[-1]

    yield ask
    for asker in opened:
        asker.session.close()
