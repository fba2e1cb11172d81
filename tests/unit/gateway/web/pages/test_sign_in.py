"""How people come in by a browser, and how they are out again."""

import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.gateway.web.pages.pages_site import HOST, OWN, Browser, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.strangers import Allowed
from waldur_slurm.gateway.web.cors import ANY
from waldur_slurm.gateway.web.pages.sign_in import own_page

QUEUE = "/ui/queue"
BY_TLS = {"x_forwarded_proto": "https"}
"""As the proxy says that has the TLS."""


@pytest.fixture
def site() -> PagesSite:
    made = PagesSite()
    made.put(1, name="of Ann")
    return made


def test_whoever_is_not_signed_in_is_shown_the_way_in_where_he_wanted_to_be(
    site: PagesSite,
) -> None:
    answer = Browser(site).get(QUEUE)

    assert answer.status == 401
    assert 'action="/ui/sign-in"' in answer.text
    assert "of Ann" not in answer.text


def test_a_token_signs_in_and_leads_back_to_the_page_that_was_wanted(site: PagesSite) -> None:
    browser = Browser(site)
    wanted = f"{QUEUE}?state=RUNNING"

    answer = browser.post("/ui/sign-in", {"token": site.token()}, referer=f"http://{HOST}{wanted}")

    assert (answer.status, answer.headers["location"]) == (303, wanted)
    assert "of Ann" in browser.get(wanted).text


def test_the_cookie_is_out_of_the_reach_of_scripts_and_of_other_sites(site: PagesSite) -> None:
    browser = site.signed_in()

    (said,) = browser.said
    parts = {part.strip().lower() for part in said.split(";")}
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= parts
    assert "secure" not in parts


def test_behind_tls_the_cookie_never_goes_over_plain_http(site: PagesSite) -> None:
    browser = Browser(site)

    browser.post("/ui/sign-in", {"token": site.token()}, x_forwarded_proto="https")

    assert "secure" in browser.said[0].lower()


def test_behind_tls_the_cookie_is_one_that_no_other_host_of_the_domain_can_set(
    site: PagesSite,
) -> None:
    """Browsers keep one of that name only if it is for all of this very host, and by TLS."""
    browser = Browser(site)

    browser.post("/ui/sign-in", {"token": site.token()}, **BY_TLS)
    page = browser.get(QUEUE, **BY_TLS)

    (said,) = browser.said
    parts = {part.strip().lower() for part in said.split(";")}
    assert said.startswith("__Host-sgw_session=")
    assert {"secure", "path=/"} <= parts
    assert not [part for part in parts if part.startswith("domain")]
    assert "of Ann" in page.text


@pytest.mark.parametrize("path", [QUEUE, "/api/v1/jobs"])
def test_behind_tls_a_session_that_another_host_of_the_domain_planted_is_none(
    site: PagesSite, path: str
) -> None:
    """Else he who planted it would have others work, and paste what is theirs, as himself."""
    planted = dict(site.signed_in().cookies)

    assert Browser(site, planted).get(path).status == 200
    assert Browser(site, planted).get(path, **BY_TLS).status == 401


def test_behind_tls_who_signs_out_has_no_cookie_any_more(site: PagesSite) -> None:
    browser = Browser(site)
    browser.post("/ui/sign-in", {"token": site.token()}, **BY_TLS)
    text = browser.get(QUEUE, **BY_TLS).text
    (form,) = set(re.findall(r'name="form" value="([^"]+)"', text))

    answer = browser.post("/ui/sign-out", {"form": form}, **BY_TLS)

    assert (answer.status, browser.cookies, site.sessions.kept) == (303, {}, {})
    assert "secure" in browser.said[-1].lower(), "without it browsers take no such name"


def test_what_is_kept_is_neither_the_cookie_nor_the_token(site: PagesSite) -> None:
    token = site.token()
    browser = Browser(site)
    browser.sign_in(token)

    (kept,) = site.sessions.kept.values()
    text = f"{kept.digest!r}{kept.digest.hex()}{kept}"
    assert browser.cookies["sgw_session"] not in text
    assert token not in text


@pytest.mark.parametrize("token", ["", "sgw_abcdefgh_" + "A" * 43, "nonsense", "\u00fc" * 9])
def test_what_is_no_token_is_said_on_the_page_and_begins_nothing(
    site: PagesSite, token: str
) -> None:
    browser = Browser(site)

    answer = browser.sign_in(token)

    assert answer.status in (400, 401)
    assert 'role="alert"' in answer.text
    assert browser.cookies == {}
    assert site.sessions.kept == {}


def test_a_revoked_token_ends_its_sessions(site: PagesSite) -> None:
    browser = site.signed_in()
    (token_id,) = site.gateway.tokens.tokens

    site.gateway.tokens.end(token_id, site.now())
    site.later = timedelta(seconds=1)

    assert until(browser, 401) == 401


def until(browser: Browser, status: int) -> int:
    """Ask for the queue until it is answered so: tokens are read again twice a second."""
    deadline = time.monotonic() + 30
    while (found := browser.get(QUEUE).status) != status and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_session_ends_by_itself(site: PagesSite) -> None:
    browser = site.signed_in()
    assert browser.get(QUEUE).status == 200

    site.later = timedelta(hours=12, seconds=1)

    assert browser.get(QUEUE).status == 401


def test_a_session_outlives_the_gateway(site: PagesSite) -> None:
    browser = site.signed_in()

    site.client = type(site.client)(site.application())

    assert browser.get(QUEUE).status == 200


def test_whoever_signs_out_is_out_also_with_the_cookie_that_he_had(site: PagesSite) -> None:
    browser = site.signed_in()
    had = dict(browser.cookies)

    answer = browser.press(QUEUE, "/ui/sign-out")

    assert answer.status == 303
    assert browser.cookies == {}
    assert Browser(site, had).get(QUEUE).status == 401
    assert site.sessions.kept == {}


def test_a_form_of_another_session_does_nothing(site: PagesSite) -> None:
    browser, other = site.signed_in(), site.signed_in()
    token = other.get(QUEUE).text.partition('name="form" value="')[2].partition('"')[0]
    assert token

    answer = browser.post("/ui/sign-out", {"form": token})

    assert answer.status == 403
    assert len(site.sessions.kept) == 2


@pytest.mark.parametrize("form", [{}, {"form": ""}, {"form": "a.b"}, {"form": "\u00fc.\u00fc"}])
def test_a_form_without_the_token_of_its_page_does_nothing(
    site: PagesSite, form: dict[str, str]
) -> None:
    browser = site.signed_in()

    assert browser.post("/ui/jobs/1/cancel", form).status == 403
    assert [job.state for job in site.queue.jobs] == ["RUNNING"]


def test_no_two_forms_carry_the_same_token(site: PagesSite) -> None:
    browser = site.signed_in()
    texts = [browser.get(QUEUE).text for _ in range(3)]
    tokens = {each.partition('name="form" value="')[2].partition('"')[0] for each in texts}

    assert len(tokens) == 3


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"origin": "null"}])
def test_a_page_of_another_site_can_neither_sign_in_nor_use_a_session(
    site: PagesSite, headers: dict[str, str]
) -> None:
    browser = site.signed_in()
    form = {"token": site.token()}

    assert Browser(site).post("/ui/sign-in", form, **headers).status == 403
    assert browser.get(QUEUE, **headers).status == 403
    assert browser.post("/ui/sign-out", form, **headers).status == 403
    assert len(site.sessions.kept) == 1


def test_a_browser_that_says_a_foreign_page_asks_is_believed(site: PagesSite) -> None:
    answer = Browser(site).post("/ui/sign-in", {"token": site.token()}, sec_fetch_site="cross-site")

    assert answer.status == 403


def test_the_cookie_reads_the_api_and_does_nothing_there(site: PagesSite) -> None:
    """What changes things there is not proven to be asked by a page of ours."""
    browser = site.signed_in()

    assert browser.get("/api/v1/jobs").json["total"] == 1
    assert browser.post("/api/v1/jobs/1/hold", {}).status == 401


def test_where_any_page_may_read_a_session_counts_for_nothing() -> None:
    site = PagesSite()
    site.gateway.site = replace(
        site.gateway.site, restapi=replace(site.gateway.site.restapi, origins=frozenset({ANY}))
    )
    site.client = type(site.client)(site.application())
    site.put(1, name="of Ann")
    browser = site.signed_in()
    elsewhere = {"origin": "https://evil.example"}

    assert "of Ann" in browser.get("/api/v1/jobs").text
    assert "of Ann" not in browser.get("/queue", **elsewhere).text
    assert "of Ann" not in browser.get("/history", **elsewhere).text


def test_an_old_cookie_stands_in_nobodys_way(site: PagesSite) -> None:
    browser = Browser(site, {"sgw_session": "of long ago"})

    assert browser.get("/ui/sign-in").status == 200
    assert browser.sign_in(site.token()).status == 303
    assert browser.get(QUEUE).status == 200


def test_what_anybody_may_see_is_shown_without_signing_in_and_nothing_can_be_done() -> None:
    site = PagesSite(allowed=Allowed(anybody=frozenset(OWN | {Scope.JOBS_READ_ALL})))
    site.put(1, name="of Ann")
    browser = Browser(site)

    assert "of Ann" in browser.get(f"{QUEUE}?whose=all").text
    assert browser.post("/ui/jobs/1/cancel", {}).status == 403
    assert [job.state for job in site.queue.jobs] == ["RUNNING"]


@pytest.mark.parametrize(
    ("scopes", "leads"),
    [({Scope.CLUSTER_READ}, "/ui/overview"), ({Scope.JOBS_READ}, "/ui/queue")],
)
def test_the_first_page_is_one_that_may_be_seen(
    site: PagesSite, scopes: set[Scope], leads: str
) -> None:
    answer = site.signed_in(scopes).get("/ui")

    assert (answer.status, answer.headers["location"]) == (303, leads)


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/ui/queue",
        "//evil.example",
        "/ui//evil.example/../..",
        "/ui/../../etc",
        "\\\\evil.example",
        "/ui/\\evil.example",
        "/ui/sign-out",
        "/api/v1/jobs",
        "javascript:alert(1)",
        "/ui/queue\r\nLocation: https://evil.example",
        "/uix",
        "",
    ],
)
def test_signing_in_leads_nowhere_but_to_a_page_of_ours(back: str) -> None:
    assert own_page(back) == ""


@pytest.mark.parametrize("back", ["/ui", "/ui/queue?state=RUNNING&name=a%20b", "/ui/jobs/1_2"])
def test_signing_in_leads_back_to_a_page_of_ours(back: str) -> None:
    assert own_page(back) == back


def test_every_answer_has_the_policy_that_lets_nothing_run_but_ours(site: PagesSite) -> None:
    browser = site.signed_in()
    for path in (QUEUE, "/ui/sign-in", "/ui/jobs/9", "/ui/nowhere"):
        policy = browser.get(path).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
    assert Browser(site).get(QUEUE).headers["cache-control"] == "no-store"


def test_a_store_that_is_away_lets_nobody_in(site: PagesSite) -> None:
    browser = site.signed_in()
    site.client = type(site.client)(site.application())
    site.sessions.broken = "the disk is full"

    assert browser.get(QUEUE).status == 503
