"""Tokens are known from memory, and a change by another process is noticed in time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.tokens import FakeTokens
from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.keyring import KEPT_AFTER_ITS_END, Keyring
from waldur_slurm.gateway.doors.principals import Kind, Principal, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import OWN, Token, digest, id_of, mint
from waldur_slurm.gateway.errors import NotNow, NotSignedIn
from waldur_slurm.telemetry.events import Event

SECRET = b"a secret of the server's, of no use"
BEGAN = datetime(2026, 11, 30, 9, tzinfo=UTC)


@dataclass
class Site:
    """A keyring whose clocks a test sets."""

    tokens: FakeTokens = field(default_factory=FakeTokens)
    elapsed: float = 0.0
    told: list[Event] = field(default_factory=list)
    errands: int = 0
    steps: timedelta = timedelta()
    """By what the time of day was set, and no monotonic clock."""

    def __post_init__(self) -> None:
        self.keyring = Keyring(
            self.tokens, lambda: SECRET, self.told.append, lambda: self.elapsed, self.now
        )

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.elapsed) + self.steps

    def make(self, lasts: timedelta | None = None) -> str:
        made = mint(
            SECRET,
            name="portal",
            scopes=frozenset({Scope.JOBS_READ_ALL}),
            run_as=run_as("ann"),
            made=self.now(),
            ends=self.now() + lasts if lasts else None,
        )
        self.tokens.add(made.token)
        return made.text

    def show(self, text: str) -> Principal:
        asked_at = self.elapsed
        found = self.keyring.recognise(text, asked_at)
        while isinstance(found, Errand):
            assert found.asks is Asks.STORE
            self.errands += 1
            found.run()
            found = self.keyring.recognise(text, asked_at)
        return found


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_token_is_whoever_it_was_made_for(site: Site) -> None:
    who = site.show(site.make())

    assert who.kind is Kind.TOKEN
    assert who.name.startswith("portal(")
    assert who.scopes == {Scope.JOBS_READ_ALL, Scope.JOBS_READ}
    assert who.own_users == {"ann"}


def test_a_new_token_looks_as_promised_and_is_kept_as_a_digest_alone(site: Site) -> None:
    text = site.make()
    (kept,) = site.tokens.since(0).tokens

    assert OWN.fullmatch(text)
    assert len(text) == len("sgw_") + 8 + 1 + 43
    assert text.split("_")[1] == kept.id
    assert kept.digest == digest(SECRET, text)
    assert text not in repr(kept)
    assert kept.digest != digest(b"another server's", text)


def test_no_two_tokens_are_alike(site: Site) -> None:
    assert len({site.make() for _ in range(100)}) == 100


@pytest.mark.parametrize("change", ["another secret part", "another id", "no end", "a new line"])
def test_a_text_that_is_not_the_whole_token_is_nobodys(site: Site, change: str) -> None:
    text, other = site.make(), site.make()
    changed = {
        "another secret part": text[:13] + other[13:],
        "another id": other[:13] + text[13:],
        "no end": text[:-1],
        "a new line": text + "\n",
    }[change]

    with pytest.raises(NotSignedIn, match="not known here"):
        site.show(changed)


def test_a_token_ends_to_the_second(site: Site) -> None:
    text = site.make(lasts=timedelta(seconds=60))
    site.elapsed = 59.9
    assert site.show(text).kind is Kind.TOKEN

    site.elapsed = 60.0
    with pytest.raises(NotSignedIn, match="has expired or was revoked"):
        site.show(text)


def test_a_token_made_elsewhere_is_known_as_soon_as_it_is_shown(site: Site) -> None:
    site.show(site.make())
    site.elapsed += 0.001

    assert site.show(site.make()).kind is Kind.TOKEN


def test_many_who_guess_at_the_same_moment_cost_one_reading(site: Site) -> None:
    site.show(site.make())
    site.elapsed += 0.001
    for number in range(100):
        with pytest.raises(NotSignedIn):
            site.show(f"guess {number}")

    assert site.errands == 2


def test_a_token_revoked_elsewhere_is_refused_within_a_second(site: Site) -> None:
    text = site.make()
    site.show(text)
    site.tokens.end(text.split("_")[1], site.now())
    site.elapsed += 0.6

    with pytest.raises(NotSignedIn, match="revoked"):
        site.show(text)


@pytest.mark.fault("the clock is set back")
def test_a_clock_that_is_set_back_lets_no_revoked_token_in(site: Site) -> None:
    text = site.make()
    site.elapsed += 3600
    site.tokens.revoke(text.split("_")[1], site.now())
    site.steps = -timedelta(days=1)

    with pytest.raises(NotSignedIn, match="revoked"):
        site.show(text)
    assert site.keyring.holder(text.split("_")[1], site.elapsed) is None


def test_many_requests_a_second_cost_two_readings(site: Site) -> None:
    text = site.make()
    for _ in range(1000):
        site.show(text)
        site.elapsed += 0.001

    assert site.errands == 2


def test_a_reading_that_takes_long_still_answers_who_asked_before_it_began(site: Site) -> None:
    """Otherwise a slow disk would have everybody read for ever."""
    text = site.make()
    errand = site.keyring.recognise(text, asked_at=0.0)
    assert isinstance(errand, Errand)
    errand.run()

    site.elapsed = 20.0

    assert isinstance(site.keyring.recognise(text, asked_at=0.0), Principal)
    assert isinstance(site.keyring.recognise(text, asked_at=20.0), Errand)


def test_a_store_that_does_not_answer_lets_nobody_in(site: Site) -> None:
    text = site.make()
    site.show(text)
    site.tokens.broken = "the disk is gone"
    site.elapsed += 0.6

    for _ in range(3):
        with pytest.raises(NotNow, match="cannot be read now") as refused:
            site.show(text)
        assert "disk" not in str(refused.value)
    (told,) = site.told
    assert (told.name, told.fields) == ("tokens.unread", {"error": "the disk is gone"})

    site.tokens.broken = ""
    assert site.show(text).kind is Kind.TOKEN
    assert [event.name for event in site.told] == ["tokens.unread", "tokens.read"]


def test_uses_are_written_once_a_minute_and_what_cannot_be_written_is_kept(site: Site) -> None:
    text = site.make()
    site.show(text)
    assert site.tokens.since(0).tokens[0].last_used is None

    site.elapsed = 61.0
    site.show(text)
    assert site.tokens.since(0).tokens[0].last_used == BEGAN

    site.tokens.broken = "the disk is full"
    site.keyring.note_uses()
    assert [event.name for event in site.told] == ["tokens.uses_unwritten"]
    site.tokens.broken = ""
    site.keyring.note_uses()
    assert site.tokens.since(0).tokens[0].last_used == BEGAN + timedelta(seconds=61)


def test_a_token_that_came_from_elsewhere_is_known_by_its_digest(site: Site) -> None:
    text = "a word of an older system"
    its_digest = digest(SECRET, text)
    token_id = id_of(text, its_digest)
    site.tokens.add(
        Token(token_id, its_digest, "old", frozenset({Scope.JOBS_READ}), run_as(""), BEGAN)
    )

    assert site.show(text).scopes == {Scope.JOBS_READ}
    with pytest.raises(NotSignedIn):
        site.show("another word")


def test_what_ended_long_ago_is_let_go_once_a_day_and_told() -> None:
    site = Site()
    over, lasting = site.make(lasts=timedelta(days=1)), site.make()
    kept = {token.id for _, token in site.tokens.tokens.values()}
    site.show(over)
    site.elapsed = (KEPT_AFTER_ITS_END + timedelta(hours=36)).total_seconds()

    with pytest.raises(NotSignedIn, match="expired"):
        site.show(over)
    site.show(lasting)

    left = {token.id for _, token in site.tokens.tokens.values()}
    told = [event for event in site.told if event.name == "tokens.forgotten"]
    assert len(kept - left) == 1
    assert [event.fields["ids"] for event in told] == [*(kept - left)]


def test_tokens_that_cannot_be_let_go_now_are_told_of_and_stop_nobody() -> None:
    site = Site()
    text = site.make()
    site.tokens.cannot_forget = "the disk is full"

    assert site.show(text).kind is Kind.TOKEN
    assert [event.name for event in site.told] == ["tokens.unforgotten"]
