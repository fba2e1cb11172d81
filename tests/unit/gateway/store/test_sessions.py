"""What a store of sessions does, of the real one and the fake alike."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.sessions import FakeSessions
from waldur_slurm.gateway.doors.sessions import Session, Sessions
from waldur_slurm.gateway.store.sessions import StoredSessions
from waldur_slurm.gateway.store.sqlite import Database

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.fixture(params=["fake", "sqlite"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    if request.param == "fake":
        yield FakeSessions()
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield StoredSessions(database)
    database.close()


def session(digest: bytes, token_id: str = "abcdefgh") -> Session:
    return Session(digest, NOW, NOW + timedelta(hours=12), token_id)


def test_a_session_comes_back_as_it_was_added(sessions: Sessions) -> None:
    sessions.add(session(b"one"))

    assert sessions.all() == (session(b"one"),)


def test_what_an_issuer_said_comes_back_with_it(sessions: Sessions) -> None:
    claims = {"preferred_username": "ann", "groups": ["hpc", "ph\u00fcsik"]}
    sessions.add(Session(b"one", NOW, NOW, claims=claims))

    assert sessions.all() == (Session(b"one", NOW, NOW, claims=claims),)


def test_a_session_that_was_let_go_is_gone_and_no_other_one(sessions: Sessions) -> None:
    for each in (b"one", b"two", b"three"):
        sessions.add(session(each))

    sessions.drop((b"one", b"three", b"nobody's"))

    assert sessions.all() == (session(b"two"),)
