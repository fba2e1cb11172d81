"""No deputy of anybody's: not a browser that is signed in, and not the gateway's own webhooks.

Whatever a form or a page of another site sends with somebody's cookie does nothing; signing in
leads to no other site; and no way to write an address of the inside net has it told anything.
"""

import re
from ipaddress import ip_network
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.trust.hostile import fuzzed
from tests.trust.size import count
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.web.doors_site import PARAMETERS
from tests.unit.gateway.web.pages.pages_site import Browser, PagesSite
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Never
from waldur_slurm.gateway.post.senders.webhook import Webhook
from waldur_slurm.gateway.web.pages.sign_in import own_page
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.routes import ROUTES

CHANGING = [
    pytest.param(route, id=f"{route.method} {route.path}")
    for route in ROUTES
    if route.method not in ("GET", "HEAD")
]
BY_OTHERS = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8041", "sec-fetch-site": "same-site"},
    {"origin": "http://127.0.0.1:8040.evil.example"},
    {"origin": "http://127.0.0.1:8040", "host": "evil.example:8040"},
    {"origin": "", "sec-fetch-site": "cross-site"},
)
"""What a browser says of a page that is none of ours; old ones say nothing."""

FORMS: tuple[dict[str, str], ...] = ({}, {"form": ""}, {"form": "a.b"}, {"token": "x"})

NOT_PUBLIC = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "203.0.113.0/24", "224.0.0.0/3", "::/3",
    "2001::/32", "2001:db8::/32", "2002::/16", "4000::/2", "8000::/1",
)  # fmt: skip
"""Of IPv4 what is nobody's or a site's own, of IPv6 all but what is given out."""

SPELLED = (
    "127.1", "0", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001", "127.0.0.1.",
    "localhost", "LOCALHOST", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]", "169.254.169.254", "0xa9fea9fe", "[fe80::1%25lo]",
)  # fmt: skip
"""How people write this machine, or a cloud's own, so that it does not look like it."""


@pytest.fixture(scope="module")
def signed_in() -> Browser:
    site = PagesSite()
    site.put(1)
    return site.signed_in(Scope)


@pytest.mark.parametrize("route", CHANGING)
def test_what_a_page_of_another_site_sends_with_somebodys_cookie_does_nothing(
    signed_in: Browser, route: Route
) -> None:
    site, kept = signed_in.site, dict(signed_in.site.sessions.kept)
    path = route.path.format_map({**PARAMETERS, "task_uuid": "x"})
    for form in FORMS:
        for headers in BY_OTHERS:
            said = {name.replace("-", "_"): text for name, text in headers.items() if text}
            answer = signed_in.send(route.method, path, form, said)
            count("deed of a page of another site")
            assert answer.status in (401, 403, 501), (headers, form, answer)
    assert [job.state for job in site.queue.jobs] == ["RUNNING"]
    assert site.sessions.kept == kept


PIECES = st.sampled_from(
    ["/", "//", "\\", "ui", "/ui/", "..", ".", "%2e%2e", "%2f", "@", ":", "?", "#", "\t", "\n", " ",
     "evil.example", "https:", "javascript:alert(1)", "queue", "\u2025", "\uff0f", "\0"]
)  # fmt: skip


def test_signing_in_leads_to_no_other_site_whatever_is_asked_for() -> None:
    @fuzzed(800, 300_000)
    @given(st.lists(PIECES, max_size=7).map("".join) | st.text(max_size=9).map("/ui/{}".format))
    @example("/ui/..\\..\\elsewhere")
    @example("/ui/../elsewhere")
    def check(back: str) -> None:
        count("page that signing in was to lead to")
        leads = own_page(back)
        # Browsers read a backslash as a slash, and no tab and no line break at all.
        read = re.sub(r"[\t\r\n]", "", leads).replace("\\", "/")
        where = urlsplit(urljoin("https://gateway.example/ui/sign-in", read))
        assert leads in ("", back)
        assert (where.scheme, where.netloc) == ("https", "gateway.example")
        assert where.path.startswith("/ui")

    check()


def test_no_address_that_is_not_public_is_told_anything() -> None:
    def within(network: str) -> st.SearchStrategy[str]:
        found = ip_network(network)
        return st.integers(0, found.num_addresses - 1).map(lambda at: str(found[at]))

    @fuzzed(600, 100_000)
    @given(st.sampled_from(NOT_PUBLIC).flatmap(within), st.sampled_from(["http", "https"]))
    def check(where: str, scheme: str) -> None:
        count("address that is not public")
        told = Webhook("key", resolve=lambda _host, _port: [where])
        assert isinstance(told.send(to(f"{scheme}://portal.example.org/")), Never)

    check()


@pytest.mark.parametrize("host", SPELLED)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_way_to_write_an_address_has_the_inside_net_told(scheme: str, host: str) -> None:
    """By the system's own resolver, which reads what libraries long ago read."""
    outcome = Webhook("key").send(to(f"{scheme}://{host}:1/"))

    assert "answer" not in getattr(outcome, "why", "answer")
    assert isinstance(outcome, Never) or "its name is not found" in outcome.why  # type: ignore[union-attr]  # it is none that was delivered


def to(url: str) -> Letter:
    return letter(method=Method.WEBHOOK, parameters={"url": url})
