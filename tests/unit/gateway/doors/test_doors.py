"""The doors as a whole: one credential, and a pace for everybody."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import Kind, Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import NO_OWNER, Connection, Place, Shown
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.errors import NotSignedIn, TooFast, WrongAsk

JWT = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"


@dataclass
class Known:
    """Knows some words."""

    kind: Kind
    words: Sequence[str] = ("good", "better")
    asked: list[str] = field(default_factory=list)

    def recognise(self, text: str, asked_at: float) -> Principal:  # noqa: ARG002 - as the port has it
        self.asked.append(text)
        if text not in self.words:
            raise NotSignedIn("this token is not known here")
        return Principal(self.kind, text)


@dataclass
class Site:
    at_once: int = 3
    now: float = 0.0
    issuer: Known | None = field(default_factory=lambda: Known(Kind.PERSON, (JWT,)))

    def __post_init__(self) -> None:
        self.tokens = Known(Kind.TOKEN)
        self.pacing = Pacing(Pace(self.at_once, 1), most_kept=50)
        allowed = Allowed(anybody=frozenset({Scope.CLUSTER_READ}))
        strangers = Strangers(allowed, lambda _: NO_OWNER)
        self.doors = Doors(strangers, self.tokens, self.issuer, self.pacing, lambda: self.now)

    def admit(self, peer: str = "192.0.2.1", **shown: Any) -> Principal:
        connection = Connection(Place(peer, 4000), Place("10.9.9.9", 8040))
        found = self.doors.admit(Shown(host="10.9.9.9", connection=connection, **shown))
        assert isinstance(found, Principal)
        return found


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": ["Bearer good"]},
        {"authorization": ["bearer   good "]},
        {"app_token": ["good"]},
    ],
)
def test_a_token_comes_in_either_header(site: Site, shown: dict[str, Any]) -> None:
    assert site.admit(**shown).kind is Kind.TOKEN


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": ["Bearer good", "Bearer good"]},
        {"app_token": ["good", "better"]},
        {"authorization": ["Bearer good"], "app_token": ["good"]},
        {"authorization": ["Basic Z29vZA=="], "app_token": ["good"]},
    ],
)
def test_two_tokens_are_a_question_that_nobody_can_answer(
    site: Site, shown: dict[str, Any]
) -> None:
    with pytest.raises(WrongAsk, match="more than one token"):
        site.admit(**shown)
    assert site.tokens.asked == []


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": ["Basic Z29vZA=="]},
        {"authorization": ["good"]},
        {"authorization": ["Bearer"]},
        {"authorization": ["Bearer good better"]},
        {"authorization": [""]},
        {"app_token": [""]},
        {"app_token": ["x" * 9000]},
        {"app_token": ["\x00"]},
        {"app_token": ["s\u00e9same"]},
    ],
)
def test_what_is_no_token_is_not_taken_for_no_token_at_all(
    site: Site, shown: dict[str, Any]
) -> None:
    with pytest.raises(NotSignedIn):
        site.admit(**shown)


def test_a_token_of_an_issuer_goes_to_the_issuer_alone(site: Site) -> None:
    assert site.admit(authorization=[f"Bearer {JWT}"]).kind is Kind.PERSON
    assert site.tokens.asked == []


def test_a_word_of_an_older_system_is_none_of_an_issuers_whatever_points_are_in_it(
    site: Site,
) -> None:
    with pytest.raises(NotSignedIn):
        site.admit(app_token=["portal.of.2019"])

    assert site.tokens.asked == ["portal.of.2019"]


def test_without_an_issuer_its_tokens_are_refused() -> None:
    with pytest.raises(NotSignedIn, match="not taken here"):
        Site(issuer=None).admit(authorization=[f"Bearer {JWT}"])


# Pace


def test_who_asks_too_fast_is_told_when_to_come_again(site: Site) -> None:
    for _ in range(3):
        site.admit(app_token=["good"])

    with pytest.raises(TooFast) as refused:
        site.admit(app_token=["good"])

    assert refused.value.after_s == 1.0
    site.now += 1.0
    assert site.admit(app_token=["good"]).name == "good"


def test_one_who_is_too_fast_keeps_nobody_else_from_asking(site: Site) -> None:
    for _ in range(3):
        site.admit(app_token=["good"])
    with pytest.raises(TooFast):
        site.admit(app_token=["good"])

    assert site.admit(app_token=["better"]).name == "better"
    assert site.admit().kind is Kind.NOBODY


def test_who_guesses_keeps_the_pace_of_his_address_whatever_he_guesses(site: Site) -> None:
    for number in range(3):
        with pytest.raises(NotSignedIn):
            site.admit(app_token=[f"guess {number}"])

    again: list[dict[str, Any]] = [{"app_token": ["guess"]}, {"authorization": ["Basic eA=="]}, {}]
    for shown in again:
        with pytest.raises(TooFast):
            site.admit(**shown)
    assert site.admit("192.0.2.2").kind is Kind.NOBODY
    assert site.admit(app_token=["good"]).kind is Kind.TOKEN


def test_all_addresses_of_one_ipv6_network_are_one(site: Site) -> None:
    for number in range(3):
        site.admit(f"2001:db8::{number}")

    with pytest.raises(TooFast):
        site.admit("2001:db8::ffff")
    assert site.admit("2001:db8:0:1::1").kind is Kind.NOBODY


def test_a_look_at_who_is_there_already_counts_for_nothing(site: Site) -> None:
    for _ in range(10):
        assert site.admit(app_token=["good"], is_again=True).name == "good"

    assert site.pacing.kept == 0


def test_however_many_ask_few_are_remembered(site: Site) -> None:
    for number in range(500):
        site.admit(f"10.0.{number // 250}.{number % 250}")

    assert site.pacing.kept == 50


def test_two_hundred_at_once_pass_by_default() -> None:
    from waldur_slurm.gateway.settings import Settings

    settings = Settings.from_environ({})
    pacing = Pacing(Pace(settings.pace_at_once, settings.pace_a_second))

    for _ in range(200):
        pacing.let("token:portal", 0.0)

    assert pacing.kept == 1
