"""Whatever is asked of whatever address, the answer is a sound one, and safe in any browser.

Texts that are meant to be misread are put into each place of a request to each route: no defect is
met, no header is made, nothing is opened to other sites' pages, and no cache may show it to others.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway_client import Answered, Asked, Client
from tests.trust.hostile import ANY_TEXT, fuzzed
from tests.trust.size import count
from tests.unit.gateway.site import GatewaySite
from tests.unit.gateway.web.app_site import APP, AppSite
from tests.unit.gateway.web.doors_site import PARAMETERS, DoorsSite, body_of
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.routes import ROUTES


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


ROWS = [pytest.param(route, id=name_of(route)) for route in ROUTES]
OF_APPS = [
    route
    for route in ROUTES
    if route.surface is Surface.SLURMER or route.path.startswith(("/api/v1/apps", "/ui/apps"))
]
OTHERS = [route for route in ROUTES if route not in OF_APPS]
TAKES_AWAY = re.compile(r"DELETE .*/{(app|job)_id}$|/(prune|remove)$")
"""What would leave nothing to ask about: these are asked for in `test_no_cache_...` alone."""
THINGS = PARAMETERS | {"task_uuid": PARAMETERS["uuid"]}
HEADERS = (
    "accept", "accept-encoding", "accept-language", "authorization", "content-type", "cookie",
    "forwarded", "host", "idempotency-key", "if-match", "if-none-match", "last-event-id", "origin",
    "range", "referer", "sec-fetch-site", "user", "x-auth-token", "x-forwarded-for",
    "x-forwarded-proto", "x-signature-256", "x-timestamp",
)  # fmt: skip
BODIES = (
    b"", b"{", b"[]", b"null", b"NaN", b'"\xff"', b'{"a":1,"a":2}', b"[" * 200_000,
    b'{"a":' * 40_000, b'{"\\ud800":"\\udfff"}', b"1e999999", b"9" * 100_000,
    b'{"uuid":' + b"9" * 9_000 + b"}", b"\xef\xbb\xbf{}", b"PK\x03\x04", b"a=b&c=%ff",
    b"--X\r\n\r\n--X--",
)  # fmt: skip

Pairs = list[tuple[str, str]]
HOST = ("host", "127.0.0.1:8040")


def path_of(route: Route, things: Mapping[str, str]) -> str:
    return route.path.format_map({name: quote(text, safe="") for name, text in things.items()})


def names_of(kind: type | None) -> tuple[str, ...]:
    return tuple(each.encode_name for each in msgspec.structs.fields(kind)) if kind else ("user",)


@st.composite
def asked(
    draw: st.DrawFn, routes: Sequence[Route], things: Mapping[str, str]
) -> tuple[Route, Asked]:
    """One request, of which one place holds what it should not."""
    route, text = draw(st.sampled_from(routes)), draw(ANY_TEXT)
    path, headers, body = path_of(route, things), dict([HOST]), body_of(route)
    names = re.findall(r"{(\w+)}", route.path)
    match draw(st.sampled_from(["query", "header", "body", "path"][: 3 + bool(names)])):
        case "path":
            path = path_of(route, {**things, draw(st.sampled_from(names)): text})
        case "query":
            named = st.tuples(st.sampled_from(names_of(route.query)), st.just(text))
            path += "?" + urlencode(draw(st.lists(named, min_size=1, max_size=3)))
        case "header":
            sent = text.encode("utf-8", "replace").translate(None, b"\r\n\0").decode("latin-1")
            headers[draw(st.sampled_from(HEADERS))] = sent
        case _:
            body = json.dumps(dict.fromkeys(names_of(route.body), text)).encode()
    return route, Asked(path, route.method, list(headers.items()), body)


@dataclass
class Bench:
    """A site, and what is shown to a route so that it is opened."""

    client: Client
    site: GatewaySite
    shown: Callable[[Route], Pairs]
    things: Mapping[str, str] = field(default_factory=lambda: THINGS)


@pytest.fixture
def bench() -> Bench:
    site = DoorsSite()
    shown: Pairs = [("authorization", f"Bearer {site.token(Scope, 'any')}")]
    return Bench(site.client, site.gateway, lambda _: shown)


@pytest.fixture
def apps_bench(tmp_path: Path) -> Bench:
    site = AppSite(tmp_path)
    wanted = {"user": "ann", "parameters": {"command": "true"}}
    made = site.ask("POST", f"/api/v1/apps/{APP.id}/jobs", site.token, wanted).json

    def shown(route: Route) -> Pairs:
        token = site.admin if route.scope is Scope.APPS_ADMIN else site.token
        if route.surface is Surface.SLURMER:
            return [("x-auth-token", token), ("user", "ann")]
        return [("authorization", f"Bearer {token}")]

    things = {**THINGS, "app_id": APP.id, "job_id": made["id"]}
    return Bench(site.client, site.gateway, shown, things)


def test_no_request_meets_a_defect_whatever_is_in_it(bench: Bench) -> None:
    try_all(bench, OTHERS)


def test_no_request_about_an_app_meets_a_defect_whatever_is_in_it(apps_bench: Bench) -> None:
    try_all(apps_bench, [each for each in OF_APPS if not TAKES_AWAY.search(name_of(each))])


def try_all(bench: Bench, routes: Sequence[Route]) -> None:
    @fuzzed(500, 60_000)
    @given(asked(routes, bench.things))
    def check(hostile: tuple[Route, Asked]) -> None:
        route, request = hostile
        headers = [*bench.shown(route), *request.headers]
        answer = bench.client.ask(replace(request, headers=headers))
        count(f"hostile request: {answer.status}")
        assert crashed(bench) == []
        is_safe(route, answer)

    check()


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:12]))
def test_no_body_meets_a_defect_at_any_route(bench: Bench, apps_bench: Bench, body: bytes) -> None:
    for routes, at in ((OTHERS, bench), (OF_APPS, apps_bench)):
        for route in routes:
            if route.method in ("POST", "PUT", "PATCH") and not TAKES_AWAY.search(name_of(route)):
                path = path_of(route, at.things)
                answer = at.client.ask(Asked(path, route.method, [*at.shown(route), HOST], body))
                count("hostile body")
                assert crashed(at) == []
                is_safe(route, answer)


def crashed(bench: Bench) -> list[object]:
    found = [event.fields["traceback"] for event in bench.site.errors()]
    bench.site.told.clear()
    return found


@pytest.mark.parametrize("route", ROWS)
def test_no_cache_may_share_an_answer_and_no_browser_guess_or_frame_it(route: Route) -> None:
    site = DoorsSite()
    for token in ("", site.token(Scope, "any"), site.token({Scope.METRICS_READ})):
        is_safe(route, site.ask(route, token))


@pytest.mark.parametrize("path", ["/", "/nowhere", "/ui/nowhere", "/api/v1/jobs/", "/apps/x/"])
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "TRACE", "CONNECT", "X"])
def test_what_is_no_route_is_answered_as_safely(method: str, path: str) -> None:
    site, (any_route, *_) = DoorsSite(), ROUTES

    is_safe(any_route, site.client.ask(Asked(path, method)))


def is_safe(route: Route, answer: Answered) -> None:
    """Our own files, that are the same for everybody, may be kept by everybody."""
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    kept = {*re.split(r",\s*", headers["cache-control"])}
    assert {"no-store", "private"} & kept or route.path.startswith("/ui/static/"), headers
    if "html" in headers.get("content-type", ""):
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control-")]
    assert all(value.isprintable() for value in headers.values()), headers
