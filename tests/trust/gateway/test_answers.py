"""Whatever is asked of whatever address, the answer is a sound one, and safe in any browser.

Texts that are meant to be misread are put into each place of a request to each route: no defect is
met, no header is made, nothing is opened to other sites' pages, and no cache may show it to others.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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

ROWS = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]
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
BODIES = {
    b"lists, deep": b"[" * 200_000,
    b"objects, deep": b'{"a":' * 40_000,
    b"a long number": b"9" * 100_000,
    b"a long number of something": b'{"uuid":' + b"9" * 9_000 + b"}",
    b"a large number": b"1e999999",
    b"half a sign": b'{"\\ud800":"\\udfff"}',
    b"a key twice": b'{"a":1,"a":2}',
    b"no text": b'"\xff"',
    b"nothing": b"",
    b"a mark of order": b"\xef\xbb\xbf{}",
    b"an end": b"--X\r\n\r\n--X--",
    **{each: each for each in (b"{", b"[]", b"null", b"NaN", b"PK\x03\x04", b"a=b&c=%ff")},
}

Pairs = list[tuple[str, str]]


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
    path, headers, body = path_of(route, things), {"host": "127.0.0.1:8040"}, body_of(route)
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
            known = dict.fromkeys(names_of(route.body), text)
            body = draw(st.sampled_from([*BODIES, json.dumps(known).encode()]))
    return route, Asked(path, route.method, list(headers.items()), body)


def try_all(
    requests: st.SearchStrategy[tuple[Route, Asked]],
    client: Client,
    site: GatewaySite,
    shown: Callable[[Route], Pairs],
) -> None:
    @fuzzed(800, 60_000)
    @given(requests)
    def check(hostile: tuple[Route, Asked]) -> None:
        route, request = hostile
        body, headers = BODIES.get(request.body, request.body), [*shown(route), *request.headers]
        answer = client.ask(replace(request, headers=headers, body=body))
        count(f"hostile request: {answer.status}")
        crashed = [event.fields["traceback"] for event in site.errors()]
        site.told.clear()
        assert crashed == []
        is_safe(route, answer)

    check()


def test_no_request_meets_a_defect_whatever_is_in_it() -> None:
    site = DoorsSite()
    shown: Pairs = [("authorization", f"Bearer {site.token(Scope, 'any')}")]

    try_all(asked(OTHERS, THINGS), site.client, site.gateway, lambda _: shown)


def test_no_request_about_an_app_meets_a_defect_whatever_is_in_it(tmp_path: Path) -> None:
    site = AppSite(tmp_path)
    wanted = {"user": "ann", "parameters": {"command": "true"}}
    made = site.ask("POST", f"/api/v1/apps/{APP.id}/jobs", site.token, wanted).json

    def shown(route: Route) -> Pairs:
        token = site.admin if route.scope is Scope.APPS_ADMIN else site.token
        if route.surface is Surface.SLURMER:
            return [("x-auth-token", token), ("user", "ann")]
        return [("authorization", f"Bearer {token}")]

    things = {**THINGS, "app_id": APP.id, "job_id": made["id"]}
    lasting = [each for each in OF_APPS if not TAKES_AWAY.search(f"{each.method} {each.path}")]
    try_all(asked(lasting, things), site.client, site.gateway, shown)


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
