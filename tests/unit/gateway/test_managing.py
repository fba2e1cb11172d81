"""Apps of a configuration file: there from the start, their tokens kept as all are."""

from pathlib import Path

import msgspec
import pytest

from tests.fakes.tokens import FakeTokens
from waldur_slurm.gateway.managing import managed_of, take_over_apps
from waldur_slurm.gateway.settings.slurmer import SlurmerSettings, ToldApp
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.telemetry.events import Event
from waldur_slurm.variables.variable import Secret

UUID = "a9a5fc66-9bed-4a13-874a-d8d7d1756224"
LONG = "zGUrgsfXBdbdVPsDfJUJsLmP7snz0uH7dnl1A4ce1gA="


class Start:
    """Each call is a start of the gateway, by what its file says then."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.tokens = FakeTokens()
        self.database = Database(place / "state" / "gateway.sqlite")
        self.told: list[Event] = []

    def __call__(self, *apps: ToldApp) -> Managed:
        settings = SlurmerSettings(
            directory=self.place / "apps",
            templates=None,
            apps=Secret(msgspec.json.encode(apps).decode()),
            most_mib=1,
            needs_issuer=False,
        )
        managed = managed_of(settings, self.database, self.tokens, lambda: b"secret")
        assert managed is not None
        self.told.clear()
        take_over_apps(managed, settings, lambda: b"secret", self.told.append)
        return managed

    def why(self, name: str) -> list[object]:
        return [event.fields["why"] for event in self.told if event.name == name]

    def valid(self) -> list[str]:
        return [token.app for _, token in self.tokens.tokens.values() if token.ends is None]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


def test_an_app_and_its_token_are_taken_over_once(start: Start) -> None:
    for _ in range(2):
        managed = start(ToldApp("app1", UUID, LONG))

    assert [(app.id, app.name) for app in managed.apps.all()] == [(UUID, "app1")]
    assert start.valid() == [UUID]
    assert LONG not in repr(start.tokens)
    assert managed.places.read_template(UUID, "batch") is not None


def test_a_token_that_leaves_the_file_ends_and_one_that_was_made_stays(start: Start) -> None:
    managed = start(ToldApp("app1", UUID, LONG))
    app = managed.apps.find(UUID)
    assert app is not None
    managed.tokens.add(managed.mint(app, "made by hand").token)

    start(ToldApp("app1", UUID, f"another {LONG}"))

    ended = [token.name for _, token in start.tokens.tokens.values() if token.ends]
    assert ended == ["config.yml: app1"]
    assert len(start.valid()) == 2


def test_a_token_that_was_revoked_stays_so_though_the_file_has_it(start: Start) -> None:
    start(ToldApp("app1", UUID, LONG))
    ((token_id, (_, token)),) = start.tokens.tokens.items()
    start.tokens.end(token_id, token.made)

    start(ToldApp("app1", UUID, LONG))

    assert start.valid() == []


def test_an_app_without_an_id_is_the_one_of_its_name(start: Start) -> None:
    first = start(ToldApp("app1", token=LONG)).apps.all()
    again = start(ToldApp("app1", token=LONG)).apps.all()

    assert first == again
    assert len(first) == 1


def test_what_is_doubtful_of_a_token_is_said_without_the_token(start: Start) -> None:
    start(ToldApp("app1", UUID, "short"), ToldApp("app2"))

    guessed, missing = start.why("apps.token_doubtful")
    assert "128 bits" in str(guessed)
    assert "slurm-gateway token make --app" in str(missing)
    assert "short" not in str(guessed)


def test_it_is_said_where_nobody_may_manage_apps(start: Start) -> None:
    start()

    assert "apps:admin" in str(start.why("apps.no_admin"))
