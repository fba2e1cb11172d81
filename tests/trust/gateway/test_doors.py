"""Every route of the table x whoever may ask it: the status is what the table says."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import Response

from tests.gateway_client import Answered
from tests.trust.size import count
from tests.unit.gateway.web.doors_site import ANNS, DoorsSite
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.strangers import Allowed
from waldur_slurm.gateway.errors import Denied, GatewayError, NotSignedIn, TooFast, WrongAsk
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import SHAPES
from waldur_slurm.gateway.web.problems import problem
from waldur_slurm.gateway.web.route import PUBLIC, Public, Route
from waldur_slurm.gateway.web.routes import ROUTES


def rows(routes: Iterable[Route]) -> list[Any]:
    return [pytest.param(route, id=f"{route.method} {route.path}") for route in routes]


TABLE = [
    route
    for route in ROUTES
    if route.surface is not Surface.SLURMER
    and not route.path.startswith(("/api/v1/apps", "/ui/apps"))
]
"""Without what only an app's own token opens: `test_doors_of_apps.py` has its table."""

ALL = rows(TABLE)
LOCKED = rows(route for route in TABLE if not isinstance(route.scope, Public))
OPEN = rows(
    route
    for route in TABLE
    if isinstance(route.scope, Public)
    and route.surface is not Surface.PAGES
    and not route.path.startswith("/api/v1/hooks/")
)
"""Without what is signed by itself, with a secret that is nobody's in particular, and without the
dashboard's own way in, which is looked at in `pages/test_sign_in.py`."""


@pytest.fixture
def site() -> DoorsSite:
    return DoorsSite()


def refused_as(error: GatewayError, route: Route, answer: Answered) -> None:
    """Demand the status of this refusal, in the one shape of the route's surface."""
    count(f"door that stayed shut: {error.title}")
    expected: Response = SHAPES.get(route.surface, problem)(error, "0" * 16)

    assert answer.status == expected.status_code
    assert answer.headers["content-type"] == expected.headers["content-type"]
    assert len(answer.headers["x-request-id"]) == 16
    for name in ("www-authenticate", "retry-after"):
        assert (name in answer.headers) == (name in expected.headers)
    if "json" in answer.headers["content-type"]:
        assert shape(answer.json) == shape(json.loads(bytes(expected.body)))


def shape(value: Any) -> Any:
    """Return the keys, and what kind of thing each one's value is."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(part) for part in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("route", LOCKED)
def test_nobody_is_asked_for_a_token(site: DoorsSite, route: Route) -> None:
    refused_as(NotSignedIn(""), route, site.ask(route))


@pytest.mark.parametrize("route", OPEN)
def test_what_is_public_is_answered_without_a_token(site: DoorsSite, route: Route) -> None:
    assert site.ask(route).status == 200


@pytest.mark.parametrize("route", ALL)
def test_an_expired_token_opens_nothing_not_even_what_is_public(
    site: DoorsSite, route: Route
) -> None:
    token = site.token(Scope, actors="any", lasts=timedelta(seconds=-1))

    refused_as(NotSignedIn(""), route, site.ask(route, token))


@pytest.mark.parametrize("route", ALL)
def test_a_token_that_is_not_known_opens_nothing(site: DoorsSite, route: Route) -> None:
    refused_as(NotSignedIn(""), route, site.ask(route, f"sgw_abcdefgh_{'A' * 43}"))


@pytest.mark.parametrize("route", LOCKED)
def test_every_other_scope_is_too_little(site: DoorsSite, route: Route) -> None:
    others = {scope for scope in Scope if scope is not route.scope}
    if route.scope is Scope.JOBS_READ:
        others -= {Scope.JOBS_READ_ALL}  # which holds it
    if route.scope is Scope.OUTPUT_READ:
        others -= {Scope.FILES_READ}  # which holds it

    refused_as(Denied(""), route, site.ask(route, site.token(others)))


NOT_FORBIDDEN = {Surface.PROXY: {400, 501}, Surface.CONTROLLER: {400, 501}}
"""What whoever is let in is told where a body or a query says nothing, what is asked for is not
there, or it is not offered: there is no slurmrestd, and nobody runs srun."""


@pytest.mark.parametrize("route", LOCKED)
def test_the_scope_of_the_table_is_just_enough(site: DoorsSite, route: Route) -> None:
    assert isinstance(route.scope, Scope)

    answer = site.ask(route, site.token({route.scope}))

    let_in = {route.status, 400 if route.body else 422}  # 422: Slurm lets no user suspend
    assert answer.status in let_in | NOT_FORBIDDEN.get(route.surface, set())
    assert site.gateway.errors() == []


@pytest.mark.parametrize("route", LOCKED)
def test_nobody_is_shown_the_jobs_of_others(site: DoorsSite, route: Route) -> None:
    assert isinstance(route.scope, Scope)

    answer = site.ask(route, site.token({route.scope}, actors="bob"))

    is_hers = "{job_id}" in route.path or "uuid}" in route.path
    absent = {404, *NOT_FORBIDDEN.get(route.surface, set())}
    assert answer.status in (absent if is_hers else {answer.status})
    assert answer.status not in (401, 403, 500)
    assert ANNS.encode() not in answer.body


def test_the_owner_is_shown_his_job_where_another_is_not(site: DoorsSite) -> None:
    """Without this, nobody would notice a test above that looks for the wrong thing."""
    (listing,) = (each for each in ROUTES if (each.method, each.path) == ("GET", "/api/v1/jobs"))

    assert ANNS.encode() in site.ask(listing, site.token({Scope.JOBS_READ})).body
    assert ANNS.encode() in site.ask(listing, site.token({Scope.JOBS_READ_ALL}, "bob")).body


@pytest.mark.parametrize("route", ALL)
def test_two_tokens_are_refused_in_the_surfaces_shape(site: DoorsSite, route: Route) -> None:
    token = site.token(Scope)

    refused_as(WrongAsk(""), route, site.ask(route, token, **{"x-auth-token": token}))


@pytest.mark.parametrize("route", ALL)
def test_a_page_of_another_site_is_refused_whatever_anybody_may(route: Route) -> None:
    site = DoorsSite(Allowed(anybody=frozenset(Scope)))

    refused_as(Denied(""), route, site.ask(route, origin="https://evil.example"))
    by_another_name = site.ask(route, host="evil.example")
    if route.is_by_any_name:
        assert by_another_name.status == site.ask(route).status
    else:
        refused_as(Denied(""), route, by_another_name)


def test_nothing_but_that_it_lives_is_told_by_any_name(site: DoorsSite) -> None:
    told = [route for route in ROUTES if route.is_by_any_name and route.method == "GET"]

    assert [(route.path, site.ask(route).body) for route in told] == [("/healthz", b"ok\n")]


def test_nothing_but_what_is_signed_by_itself_is_taken_by_any_name(site: DoorsSite) -> None:
    taken = [route for route in ROUTES if route.is_by_any_name and route.method != "GET"]

    assert [(route.path, site.ask(route).status) for route in taken] == [("/api/v1/hooks/job", 401)]


@pytest.mark.parametrize("route", ALL)
def test_who_is_too_fast_is_told_so_in_the_surfaces_shape(route: Route) -> None:
    site = DoorsSite(pace=Pace(1, 0.001))
    token = site.token(Scope)
    site.ask(route, token)

    answer = site.ask(route, token)

    refused_as(TooFast("", 2.0), route, answer)
    assert 900 < int(answer.headers["retry-after"]) <= 1000


@pytest.mark.parametrize("scope", [None, "jobs:everything", "", frozenset({Scope.JOBS_READ})])
def test_a_route_without_a_scope_cannot_be_written(scope: Any) -> None:
    handler = ROUTES[0].handler

    with pytest.raises(TypeError, match="GET /free has no scope"):
        Route("GET", "/free", scope, handler, "what nobody has to be allowed")
    assert Route("GET", "/free", PUBLIC, handler, "meant so").scope is PUBLIC
