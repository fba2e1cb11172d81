"""People sign in at their issuer: the code flow of OpenID Connect, with PKCE."""

import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.fakes.issuer import AUDIENCE, URL, key_for, signed
from tests.fakes.sign_in import CLIENT, REDIRECT, SECRET, FakeSignIn
from tests.unit.gateway.site import SECRET as SERVER_SECRET
from tests.unit.gateway.web.pages.pages_site import Browser, PagesSite
from waldur_slurm.gateway.doors.claims import Expected, Role
from waldur_slurm.gateway.doors.code_flow import Client, CodeFlow
from waldur_slurm.gateway.doors.oidc import Issuer
from waldur_slurm.gateway.doors.scopes import Scope

READER = Role("hpc", frozenset({Scope.JOBS_READ, Scope.JOBS_CANCEL}))
CALLBACK = "/ui/oidc/callback"


@pytest.fixture
def at_issuer() -> FakeSignIn:
    return FakeSignIn(now=time.time())


@pytest.fixture
def site(at_issuer: FakeSignIn) -> PagesSite:
    expected = Expected(issuer=URL, audience=AUDIENCE, roles=(READER,))
    issuer = Issuer(
        expected, at_issuer.issuer.fetch, list[object]().append, time.monotonic, time.time
    )
    flow = CodeFlow(
        issuer,
        expected,
        Client(CLIENT, SECRET, REDIRECT),
        at_issuer.issuer.fetch,
        at_issuer.send_form,
        lambda: SERVER_SECRET,
    )
    made = PagesSite(expected=expected, flow=flow)
    made.put(1, name="of Ann")
    made.put(2, "bob", name="of Bob")
    return made


def begun(site: PagesSite, at_issuer: FakeSignIn, back: str = "") -> tuple[Browser, str]:
    """Let somebody sign in, until his browser is back with this address."""
    browser = Browser(site)
    answer = browser.get(f"/ui/oidc/sign-in{'?back=' + quote(back) if back else ''}")
    assert answer.status == 303, answer.text
    state = at_issuer.consent(answer.headers["location"])
    return browser, f"{CALLBACK}?code=c0de&state={state}&iss={quote(URL)}&session_state=x"


def test_a_person_signs_in_as_himself_and_comes_to_the_page_he_wanted(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    browser, back = begun(site, at_issuer, "/ui/queue?state=RUNNING")

    answer = browser.get(back)

    assert (answer.status, answer.headers["location"]) == (303, "/ui/queue?state=RUNNING")
    assert "sgw_sign_in" not in browser.cookies
    text = browser.get("/ui/queue").text
    assert "of Ann" in text
    assert "of Bob" not in text


def test_the_way_to_the_issuer_is_offered(site: PagesSite) -> None:
    assert 'href="/ui/oidc/sign-in"' in Browser(site).get("/ui/queue").text


def test_nothing_of_the_person_is_kept_but_who_he_is_and_his_groups(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    browser, back = begun(site, at_issuer)
    browser.get(back)

    (kept,) = site.sessions.kept.values()
    assert kept.claims == {"preferred_username": "ann", "groups": ["hpc"]}


def test_the_code_is_taken_by_whoever_knows_the_secret_behind_the_challenge(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    browser, back = begun(site, at_issuer)
    browser.get(back)

    assert len(at_issuer.form["code_verifier"]) >= 43
    assert at_issuer.form["grant_type"] == "authorization_code"


def test_another_browser_cannot_end_a_sign_in(site: PagesSite, at_issuer: FakeSignIn) -> None:
    """Else somebody could have another sign in as himself, and read what he then does."""
    _, back = begun(site, at_issuer)
    other, _ = begun(site, at_issuer)

    assert Browser(site).get(back).status == 401
    assert other.get(back).status == 401
    assert site.sessions.kept == {}


def test_behind_tls_a_sign_in_that_another_host_of_the_domain_planted_is_none(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    other, back = begun(site, at_issuer)
    by_tls = {"x_forwarded_proto": "https"}

    assert Browser(site, dict(other.cookies)).get(back, **by_tls).status == 401
    assert site.sessions.kept == {}
    own = {f"__Host-{name}": value for name, value in other.cookies.items()}
    browser = Browser(site, own)
    assert browser.get(back, **by_tls).status == 303
    assert [*browser.cookies] == ["__Host-sgw_session"]


def test_a_state_that_was_not_given_is_refused(site: PagesSite, at_issuer: FakeSignIn) -> None:
    browser, _ = begun(site, at_issuer)

    for state in ("", "guessed", "\u00fc"):
        assert browser.get(f"{CALLBACK}?code=c0de&state={quote(state)}").status == 401
    assert site.sessions.kept == {}


def test_a_cookie_that_was_written_by_somebody_else_is_refused(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    browser, back = begun(site, at_issuer)
    body, _, _ = browser.cookies["sgw_sign_in"].partition(".")

    for forged in (f"{body}.{'0' * 64}", body, "", f"{body}x.{'0' * 64}"):
        assert Browser(site, {"sgw_sign_in": forged}).get(back).status == 401


@pytest.mark.parametrize(
    "said",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": AUDIENCE},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"iss": "https://other.example"},
        {"exp": 1},
        {"exp": None},
        {"preferred_username": None},
    ],
)
def test_a_token_that_does_not_fit_signs_nobody_in(
    site: PagesSite, at_issuer: FakeSignIn, said: dict[str, object]
) -> None:
    browser, back = begun(site, at_issuer)
    at_issuer.said = said

    assert browser.get(back).status == 401
    assert site.sessions.kept == {}


def test_a_token_of_another_key_signs_nobody_in(site: PagesSite, at_issuer: FakeSignIn) -> None:
    browser, back = begun(site, at_issuer)
    at_issuer.issuer.keys = [key_for("ES256", 1)]

    assert browser.get(back).status == 401
    assert signed({}, key_for("ES256"), "ES256")


def test_who_has_no_role_is_told_so(site: PagesSite, at_issuer: FakeSignIn) -> None:
    browser, back = begun(site, at_issuer)
    at_issuer.said = {"groups": ["others"]}

    assert browser.get(back).status == 403
    assert site.sessions.kept == {}


def test_a_role_that_is_taken_away_ends_the_session(site: PagesSite, at_issuer: FakeSignIn) -> None:
    browser, back = begun(site, at_issuer)
    browser.get(back)
    assert browser.get("/ui/queue").status == 200
    assert site.expected

    site.expected = replace(site.expected, roles=(replace(READER, group="others"),))

    assert browser.get("/ui/queue").status == 401


def test_the_session_outlives_the_issuers_token_and_ends_by_itself(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    browser, back = begun(site, at_issuer)
    browser.get(back)

    site.later = timedelta(hours=11)
    assert browser.get("/ui/queue").status == 200
    site.later = timedelta(hours=12, seconds=1)
    assert browser.get("/ui/queue").status == 401


def test_what_the_issuer_refuses_is_said(site: PagesSite) -> None:
    answer = Browser(site).get(f"{CALLBACK}?error=access_denied&error_description=no&state=x")

    assert answer.status == 401
    assert "access_denied" in answer.text


def test_a_silent_issuer_is_not_now_and_asked_seldom(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    at_issuer.issuer.broken = "connection refused"

    answers = [Browser(site).get("/ui/oidc/sign-in") for _ in range(5)]

    assert {answer.status for answer in answers} == {503}
    assert sum(at_issuer.issuer.fetched.values()) == 1


def test_a_place_elsewhere_is_not_where_signing_in_leads(
    site: PagesSite, at_issuer: FakeSignIn
) -> None:
    browser, back = begun(site, at_issuer, "//evil.example/ui/")

    assert browser.get(back).headers["location"] == "/ui"


def test_without_an_issuer_nobody_is_led_anywhere() -> None:
    site = PagesSite()

    assert Browser(site).get("/ui/oidc/sign-in").status == 501
    assert Browser(site).get(f"{CALLBACK}?code=c&state=s").status == 501
    assert "/ui/oidc" not in Browser(site).get("/ui/queue").text
