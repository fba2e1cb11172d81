"""Fixtures that give a test a Waldur of its own; servers are kept for the next test.

A conftest imports them by name: `from tests.fixtures_waldur import start_waldur, waldur_server,
waldur_pool`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.waldur import READY, DialectName, Waldur

DIALECT_NAMES: tuple[DialectName, ...] = ("today", "transition", "classic")

StartWaldur = Callable[..., Waldur]


class Pool:
    """Servers that are idle; the state of one is begun again before the next test sees it."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._idle: list[Waldur] = []

    def take(self, dialect: DialectName, **options: Any) -> Waldur:
        for waldur in self._idle:
            if waldur.dialect == dialect:
                self._idle.remove(waldur)
                waldur.begin_again(READY.changed(**options))
                return waldur
        directory = self._factory.mktemp(f"waldur-{dialect}-")
        return Waldur.start(directory, dialect, READY.changed(**options))

    def give_back(self, waldur: Waldur) -> None:
        if waldur.is_running and not waldur.was_disturbed:
            self._idle.append(waldur)
        else:
            waldur.stop()

    def stop(self) -> None:
        for waldur in self._idle:
            waldur.stop()


@pytest.fixture(scope="session")
def waldur_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    pool = Pool(tmp_path_factory)
    yield pool
    pool.stop()


@pytest.fixture
def start_waldur(waldur_pool: Pool) -> Iterator[StartWaldur]:
    """As many as a test wants: `start_waldur("today", allocation_delay=0.3)`.

    The provider has made the offering ready, unless the test says otherwise: `makes_users=False`.
    With a directory it is one that goes on from what is there, and is stopped after the test.
    """
    taken: list[Waldur] = []
    own: list[Waldur] = []

    def start(dialect: DialectName = "today", directory: Path | None = None, **more: Any) -> Waldur:
        if directory is not None:
            own.append(Waldur.start(directory, dialect, READY.changed(**more)))
            return own[-1]
        taken.append(waldur_pool.take(dialect, **more))
        return taken[-1]

    yield start
    failures = "".join(waldur.failures() for waldur in [*taken, *own])
    for waldur in taken:
        waldur_pool.give_back(waldur)
    for waldur in own:
        waldur.stop()
    assert failures == "", "the stand-in itself broke"


@pytest.fixture(params=DIALECT_NAMES)
def waldur_server(request: pytest.FixtureRequest, start_waldur: StartWaldur) -> Waldur:
    """One stand-in a dialect."""
    return start_waldur(request.param)
