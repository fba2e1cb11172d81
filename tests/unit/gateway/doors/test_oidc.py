"""Only what the issuer signed for this gateway, now, lets anybody in."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.fakes.issuer import (
    AUDIENCE,
    URL,
    FakeIssuer,
    encoded,
    key_for,
    made,
    signed,
    signed_by_secret,
)
from waldur_slurm.gateway.doors.claims import Expected, Role
from waldur_slurm.gateway.doors.errands import Asks, Errand
from waldur_slurm.gateway.doors.oidc import ALGORITHMS, Issuer
from waldur_slurm.gateway.doors.principals import Kind, Principal, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import Denied, GatewayError, NotNow, NotSignedIn
from waldur_slurm.telemetry.events import Event

NOW = 1_800_000_000.0
EVERYBODY = Role("*", frozenset({Scope.JOBS_READ}))
ADMINS = Role("/hpc/admins", frozenset({Scope.JOBS_CONTROL}), run_as("any"))
STAFF = Role("HPC staff", frozenset({Scope.JOBS_READ_ALL}), run_as("bob,@physics"))

EXPECTED = Expected(URL, AUDIENCE, roles=(EVERYBODY, ADMINS, STAFF))

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")


@dataclass
class Site:
    """A gateway that takes one issuer's tokens; a test sets both clocks by `elapsed`."""

    issuer: FakeIssuer = field(default_factory=lambda: FakeIssuer(keys=[made("RSA")]))
    expected: Expected = EXPECTED
    elapsed: float = 0.0
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.door = Issuer(
            self.expected,
            self.issuer.fetch,
            self.told.append,
            lambda: self.elapsed,
            lambda: NOW + self.elapsed,
        )

    def show(self, token: str) -> Principal:
        found = self.door.recognise(token, self.elapsed)
        while isinstance(found, Errand):
            assert found.asks is Asks.ISSUER
            found.run()
            found = self.door.recognise(token, self.elapsed)
        return found

    @property
    def fetches(self) -> int:
        return self.issuer.fetched[f"{URL}/keys"]


@pytest.fixture
def site() -> Site:
    return Site()


def claims(**changes: Any) -> dict[str, Any]:
    said = {
        "iss": URL,
        "aud": AUDIENCE,
        "exp": NOW + 300,
        "iat": NOW,
        "sub": "0815",
        "preferred_username": "ann",
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


def token(**changes: Any) -> str:
    return signed(claims(**changes), made("RSA"), "RS256")


def test_a_person_is_the_user_that_his_token_names(site: Site) -> None:
    who = site.show(token())

    assert (who.kind, who.name, who.user, who.own_users) == (
        Kind.PERSON,
        "ann",
        "ann",
        frozenset({"ann"}),
    )
    assert who.scopes == {Scope.JOBS_READ}
    assert who.expires is not None
    assert who.expires.timestamp() == NOW + 300


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_that_is_taken_is_verified(algorithm: str) -> None:
    key, other = key_for(algorithm), key_for(algorithm, 1)
    site = Site(FakeIssuer(keys=[key]))
    good = signed(claims(), key, algorithm)
    forged = signed(claims(), other, algorithm, kid=key.kid)

    assert site.show(good).user == "ann"
    with pytest.raises(NotSignedIn, match="not the issuer's"):
        site.show(forged)
    head, body, signature = good.split(".")
    other_body = encoded(claims(preferred_username="root"))
    for changed in (f"{head}.{other_body}.{signature}", f"{head}.{body}."):
        with pytest.raises(NotSignedIn, match="not the issuer's"):
            site.show(changed)


def by_a_shared_key(algorithm: str) -> Callable[[], str]:
    """Sign with the public key, taken for a secret that both sides share."""

    def make() -> str:
        return signed_by_secret(claims(), made("RSA").as_pem(private=False), "RSA-0", algorithm)

    return make


NOT_TAKEN: dict[str, Callable[[], str]] = {
    "none": lambda: f"{encoded({'alg': 'none', 'kid': 'RSA-0'})}.{encoded(claims())}.",
    "None": lambda: f"{encoded({'alg': 'None', 'kid': 'RSA-0'})}.{encoded(claims())}.",
    "no algorithm": lambda: f"{encoded({'kid': 'RSA-0'})}.{encoded(claims())}.c2ln",
    "a list of algorithms": lambda: f"{encoded({'alg': ['RS256'], 'kid': 'RSA-0'})}.e30.c2ln",
    "HS256 with the RSA key": by_a_shared_key("HS256"),
    "HS512 with the RSA key": by_a_shared_key("HS512"),
    "crit": lambda: signed(claims(), made("RSA"), "RS256", crit=["exp"], exp=NOW),
    "an unknown crit": lambda: f"{encoded({'alg': 'RS256', 'kid': 'RSA-0', 'crit': ['x']})}.e30.YQ",
    "b64": lambda: f"{encoded({'alg': 'RS256', 'kid': 'RSA-0', 'b64': False})}.e30.YQ",
    "no kid": lambda: signed(claims(), made("RSA"), "RS256", kid=None),
    "a key of its own": lambda: signed(
        claims(), made("RSA", 1), "RS256", kid="mine", jwk=made("RSA", 1).as_dict(private=False)
    ),
    "another kind of key": lambda: signed(claims(), made("P-256"), "ES256", kid="RSA-0"),
    "another issuer": lambda: token(iss="https://evil.example"),
    "no issuer": lambda: token(iss=None),
    "the issuer with a slash": lambda: token(iss=f"{URL}/"),
    "another audience": lambda: token(aud="another-service"),
    "no audience": lambda: token(aud=None),
    "several other audiences": lambda: token(aud=["a", "b"]),
    "an audience like ours": lambda: token(aud=f"{AUDIENCE}-2"),
    "expired": lambda: token(exp=NOW - 61),
    "no end": lambda: token(exp=None),
    "an end in words": lambda: token(exp="tomorrow"),
    "true as the end": lambda: token(exp=True),
    "an endless end": lambda: token(exp=float("inf")),
    "no number as the end": lambda: token(exp=float("nan")),
    "not yet": lambda: token(nbf=NOW + 61),
    "from the future": lambda: token(iat=NOW + 61),
    "no name": lambda: token(preferred_username=None),
    "a number as the name": lambda: token(preferred_username=1000),
    "an endless name": lambda: token(preferred_username="a" * 300),
    "no object": lambda: f"{encoded({'alg': 'RS256', 'kid': 'RSA-0'})}.{encoded([1])}.YQ",
    "no JSON": lambda: "eyJhbGciOi.e30.YQ",
    "deep JSON": lambda: f"{urlsafe_b64encode(b'[' * 5000).decode()}.e30.YQ",
}


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_what_the_issuer_did_not_sign_for_us_and_now_lets_nobody_in(site: Site, case: str) -> None:
    with pytest.raises(NotSignedIn):
        site.show(NOT_TAKEN[case]())

    assert site.show(token()).user == "ann"


@pytest.mark.parametrize(
    "changes", [{"exp": NOW - 59}, {"nbf": NOW + 59}, {"iat": NOW + 59}, {"aud": ["a", AUDIENCE]}]
)
def test_clocks_may_differ_by_a_minute(site: Site, changes: dict[str, Any]) -> None:
    assert site.show(token(**changes)).user == "ann"


def test_a_token_ends_although_it_was_verified_a_moment_before(site: Site) -> None:
    text = token(exp=NOW + 30)
    site.show(text)
    site.elapsed = 89.0
    site.show(text)

    site.elapsed = 91.0
    with pytest.raises(NotSignedIn, match="has expired"):
        site.show(text)


# Who it is, and what he may


@pytest.mark.parametrize(
    ("groups", "scopes", "actors"),
    [
        (None, {Scope.JOBS_READ}, ""),
        (["/hpc"], {Scope.JOBS_READ}, ""),
        (["/hpc/admins"], {Scope.JOBS_READ, Scope.JOBS_CONTROL}, "any"),
        ("HPC staff", {Scope.JOBS_READ, Scope.JOBS_READ_ALL}, "bob,@physics"),
        ([["/hpc/admins"], 7, None, {}], {Scope.JOBS_READ}, ""),
    ],
)
def test_groups_say_what_one_may(
    site: Site, groups: object, scopes: set[Scope], actors: str
) -> None:
    who = site.show(token(groups=groups))

    assert (who.scopes, str(who.run_as), who.user) == (frozenset(scopes), actors, "ann")


def test_who_is_in_no_group_that_may_anything_is_refused_as_known() -> None:
    with pytest.raises(Denied, match="ann is in no group"):
        Site(expected=Expected(URL, AUDIENCE, roles=(ADMINS,))).show(token(groups=["guests"]))


BY_MAIL = replace(
    EXPECTED,
    username_claim="email",
    username=re.compile(r"([a-z0-9]+)@example\.org"),
)


def test_a_pattern_makes_a_user_of_a_claim() -> None:
    assert Site(expected=BY_MAIL).show(token(email="ann7@example.org")).user == "ann7"


@pytest.mark.parametrize(
    "mail",
    [
        "ann@example.org.evil.example",
        "ann@example.org\n",
        "x ann@example.org",
        "0@example.org",
        "ANN@example.org",
        "@example.org",
    ],
)
def test_a_claim_that_the_pattern_does_not_fit_wholly_is_nobody(mail: str) -> None:
    with pytest.raises(Denied, match="no user of this site"):
        Site(expected=BY_MAIL).show(token(email=mail))


@pytest.mark.parametrize(
    "name", ["Ann", "0", "1000", "ann+", "a b", "\u0430nn", "ann\0", "-ann", ""]
)
def test_a_name_that_no_user_can_have_is_nobody(site: Site, name: str) -> None:
    with pytest.raises(GatewayError):
        site.show(token(preferred_username=name))


# Keys


def test_a_thousand_unknown_keys_have_the_issuer_asked_once(site: Site) -> None:
    site.show(token())
    site.elapsed = 61.0
    before = site.fetches
    for number in range(1000):
        with pytest.raises(NotSignedIn, match="does not publish"):
            site.show(signed(claims(), made("RSA", 1), "RS256", kid=f"unknown-{number}"))
        site.elapsed += 0.05

    assert site.fetches == before + 1
    site.elapsed += 60
    with pytest.raises(NotSignedIn):
        site.show(signed(claims(), made("RSA", 1), "RS256", kid="unknown"))
    assert site.fetches == before + 2


def test_a_key_that_was_changed_meanwhile_is_found(site: Site) -> None:
    site.show(token())
    site.issuer.keys = [made("RSA", 1)]
    site.elapsed = 61.0
    renewed = signed(claims(), made("RSA", 1), "RS256")

    assert site.show(renewed).user == "ann"
    with pytest.raises(NotSignedIn, match="does not publish"):
        site.show(token())


def test_a_key_that_was_withdrawn_is_believed_for_an_hour_at_most(site: Site) -> None:
    text = token(exp=NOW + 86_400)
    site.show(text)
    site.issuer.keys = [made("RSA", 1)]

    site.elapsed = 3601.0
    with pytest.raises(NotSignedIn, match="does not publish"):
        site.show(text)


def test_many_requests_of_one_person_are_verified_from_memory(site: Site) -> None:
    text = token()
    for _ in range(100):
        site.show(text)

    assert site.fetches == 1
    assert len(site.door._believed) == 1


@pytest.mark.fault("the issuer of OpenID Connect is gone")
def test_an_issuer_that_is_away_at_first_is_not_now_and_asked_once_a_minute(site: Site) -> None:
    site.issuer.broken = "connection refused"
    for _ in range(10):
        with pytest.raises(
            NotNow, match="the issuer of tokens does not answer: connection refused"
        ):
            site.show(token())
    assert sum(site.issuer.fetched.values()) == 1
    assert [event.name for event in site.told] == ["issuer.silent"]

    site.issuer.broken = ""
    site.elapsed = 60.0
    assert site.show(token()).user == "ann"
    assert [event.name for event in site.told] == ["issuer.silent", "issuer.answers"]


@pytest.mark.fault("the issuer of OpenID Connect is gone")
def test_an_issuer_that_goes_away_keeps_nobody_out_whose_key_is_known(site: Site) -> None:
    site.show(token())
    site.issuer.broken = "connection refused"
    site.elapsed = 3700.0

    assert site.show(token(exp=NOW + 9999)).user == "ann"
    with pytest.raises(NotNow):
        site.show(signed(claims(exp=NOW + 9999), made("RSA", 1), "RS256"))


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": "http://login.example.org/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
def test_a_description_that_leads_elsewhere_is_not_followed(described: dict[str, Any]) -> None:
    site = Site(FakeIssuer(keys=[made("RSA")], described=described))

    with pytest.raises(NotNow, match="its description"):
        site.show(token())
    assert sum(site.issuer.fetched.values()) == 1


def test_keys_that_are_not_understood_do_not_hide_the_others() -> None:
    shared = {"kty": "oct", "kid": "shared", "k": encoded("x" * 32)}
    encrypting = {**made("RSA", 1).as_dict(private=False), "use": "enc"}
    weak = {**made("RSA").as_dict(private=False), "kid": "weak", "n": "x" * 170}
    strange = [None, 7, {}, {"kty": "RSA", "kid": "torn"}, {"kty": "EC", "kid": "e", "crv": "P-0"}]
    site = Site(FakeIssuer(keys=[made("RSA")], more_keys=[shared, encrypting, weak, *strange]))

    assert site.show(token()).user == "ann"
    for name in ("shared", "RSA-1", "weak", "torn"):
        with pytest.raises(NotSignedIn, match="does not publish"):
            site.show(signed(claims(), made("RSA", 1), "RS256", kid=name))
