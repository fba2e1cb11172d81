"""The stand-in answers as real Masterminds answered: every recorded exchange, asked again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
import requests

from sandbox.waldur import DialectName, Waldur
from tests.standin.rebuild import NOW, World, token_of
from tests.standin.recordings import Given, Recording, differences, recordings
from tests.standin.stages import set_stage


def without_creation_order(recording: Recording) -> Recording:
    response = {key: recording.response[key] for key in recording.response}
    response["creation_order"] = None
    return replace(recording, response=response)


DIALECTS: dict[str, DialectName] = {"head": "transition", "7.0.0": "classic"}

ADMINISTRATION = "makes the people and places that the consumer's side makes here"
NOT_REPLAYED_COLLECTIONS = {
    "customers": ADMINISTRATION,
    "projects": ADMINISTRATION,
    "users": ADMINISTRATION,
    "roles": ADMINISTRATION,
    "marketplace-categories": ADMINISTRATION,
    "marketplace-plugins": "a list of every plugin of Waldur, which no agent reads",
}
NOT_REPLAYED = dict.fromkeys((413, 417, 418, 423), ADMINISTRATION) | {
    40: "caught inside the approval in a request-based offering, which no agent serves"
}
STALE_COPIES = {153, 184, 219, 276, 534}
"""Resources whose nested creation order is an old copy: it says "pending-consumer" of an order
that the same server calls done. Only that copy is left out of the comparison."""
RECORDINGS = [
    without_creation_order(recording) if recording.id in STALE_COPIES else recording
    for recording in recordings()
]


def reason_against(recording: Recording) -> str | None:
    """Why this exchange is not asked again; nothing for the most."""
    if recording.path == "users/me/":
        return None
    return NOT_REPLAYED_COLLECTIONS.get(recording.collection) or NOT_REPLAYED.get(recording.id)


REPLAYED = [recording for recording in RECORDINGS if reason_against(recording) is None]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Waldur]]:
    started = {
        server: Waldur.start(tmp_path_factory.mktemp(dialect), dialect=dialect)
        for server, dialect in DIALECTS.items()
    }
    yield started
    for waldur in started.values():
        waldur.stop()
        assert waldur.failures() == ""


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def replay(waldur: Waldur, session: requests.Session, recording: Recording) -> Given:
    """Let it be the month of the recordings: what is held of limits then is asked for."""
    with waldur.store.transaction():
        set_stage(World(waldur.store), recording)
    waldur.set_clock(datetime.fromisoformat(NOW))
    url = f"{waldur.url}{recording.path}" + (f"?{recording.query}" if recording.query else "")
    headers = authorization(recording.who)
    answer = session.request(recording.method, url, json=recording.body, headers=headers)
    has_json = answer.headers.get("Content-Type") == "application/json" and answer.content
    return Given(
        answer.status_code, dict(answer.headers), answer.json() if has_json else answer.text
    )


def authorization(who: str) -> dict[str, str]:
    if who == "anon":
        return {}
    if who == "bearer":
        return {"Authorization": f"Bearer {token_of('provider-owner')}"}
    return {"Authorization": f"Token {token_of(who)}"}


@pytest.mark.parametrize("recording", REPLAYED, ids=str)
def test_the_stand_in_answers_as_it_was_recorded(
    servers: dict[str, Waldur], session: requests.Session, recording: Recording
) -> None:
    given = replay(servers[recording.server], session, recording)
    assert differences(recording, given) == []
