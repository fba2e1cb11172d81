"""Every route of apps x whoever may ask it: natively, as a page, and as Slurmer's clients do."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.gateway_client import Asked
from tests.trust.size import count
from tests.unit.gateway.web.app_site import APP, OTHER, AppSite
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.strangers import Allowed
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.native.app_routes import APP_ROUTES
from waldur_slurm.gateway.web.pages.app_page_routes import APP_PAGE_ROUTES
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.seeds.slurmer_routes import SLURMER_ROUTES

JOB = "4a0eb4bf-845f-44c3-9253-9e214bf5031f"


def rows(routes: Iterable[Route]) -> list[Any]:
    return [pytest.param(route, id=f"{route.method} {route.path}") for route in routes]


ALL = rows((*APP_ROUTES, *APP_PAGE_ROUTES, *SLURMER_ROUTES))
OF_ADMIN = rows(
    route for route in (*APP_ROUTES, *SLURMER_ROUTES) if route.scope is Scope.APPS_ADMIN
)
OF_AN_APP = rows(route for route in (*APP_ROUTES, *APP_PAGE_ROUTES) if "{app_id}" in route.path)
SLURMERS = rows(route for route in SLURMER_ROUTES if "{app_id}" in route.path)


def path_of(route: Route, app: str = APP.id) -> str:
    names = {"app_id": app, "job_id": JOB, "template": "batch", "token_id": "x", "path": "a"}
    takes_user = route.query is not None or (route.surface, route.method) == (Surface.PAGES, "GET")
    query = "?user=ann" if takes_user else ""
    return route.path.format_map(names) + query


def shown(route: Route, token: str) -> dict[str, str]:
    return {"x_auth_token": token, "user": "ann"} if route.surface is Surface.SLURMER else {}


def asked(site: AppSite, route: Route, token: str, app: str = APP.id) -> int:
    count("request at an app's door")
    is_seed = route.surface is Surface.SLURMER
    sent = b"user=ann" if route.surface is Surface.PAGES else b"{}"
    body = None if route.method in ("GET", "DELETE") else sent
    return site.ask(
        route.method,
        path_of(route, app),
        "" if is_seed else token,
        body,
        **(shown(route, token) if token else {"user": "ann"}),
    ).status


@pytest.fixture
def site(tmp_path: Path) -> AppSite:
    return AppSite(tmp_path)


@pytest.mark.parametrize("route", ALL)
def test_nobody_is_asked_for_a_token(site: AppSite, route: Route) -> None:
    assert asked(site, route, "") == 401


@pytest.mark.parametrize("route", ALL)
def test_a_token_that_is_not_known_opens_nothing(site: AppSite, route: Route) -> None:
    expected = 403 if route.surface is Surface.SLURMER else 401

    assert asked(site, route, f"sgw_abcdefgh_{'A' * 43}") == expected
    assert asked(site, route, "wrong") == expected


@pytest.mark.parametrize("route", ALL)
def test_every_other_scope_is_too_little(site: AppSite, route: Route) -> None:
    others = set(Scope) - {Scope.APPS_ADMIN, Scope.APPS_USE}

    assert asked(site, route, site.token_for(others, "any")) == 403


@pytest.mark.parametrize("route", OF_ADMIN)
def test_an_apps_own_token_manages_nothing(site: AppSite, route: Route) -> None:
    assert asked(site, route, site.token) == 403


@pytest.mark.parametrize("route", OF_AN_APP)
def test_to_who_may_not_open_it_an_app_is_not_there(site: AppSite, route: Route) -> None:
    if route.scope is Scope.APPS_USE and route.body is None:
        assert asked(site, route, site.others) == 404
        assert asked(site, route, site.token_for({Scope.APPS_USE}, "any")) == 404
    assert asked(site, route, site.admin, JOB) == 404


@pytest.mark.parametrize("route", SLURMERS)
def test_slurmers_clients_are_told_403_of_another_app_and_404_of_none(
    site: AppSite, route: Route
) -> None:
    assert asked(site, route, site.others) == 403
    assert asked(site, route, site.token, JOB) == 404
    assert asked(site, route, site.token, "nonsense") == 404


@pytest.mark.parametrize("route", SLURMERS)
def test_the_header_user_is_needed_once_and_names_somebody(site: AppSite, route: Route) -> None:
    if "/jobs" not in route.path:
        return
    token = [("x-auth-token", site.token), ("host", "127.0.0.1:8040")]
    for users, status in (((), 401), (("ann", "bob"), 400), (("eve",), 403), (("0",), 403)):
        headers = [*token, *(("user", user) for user in users)]
        answer = site.client.ask(Asked(path_of(route), route.method, headers, b"{}"))
        assert answer.status == status, users
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("route", ALL)
def test_an_apps_token_opens_what_is_its_own(site: AppSite, route: Route) -> None:
    if route.scope is Scope.APPS_ADMIN:
        return
    status = asked(site, route, site.token)

    assert status in ((404,) if "{job_id}" in route.path else (200, 201, 400))
    assert site.gateway.errors() == []


def test_an_apps_token_opens_nothing_but_apps(site: AppSite) -> None:
    for path in ("/api/v1/jobs", "/api/v1/nodes", "/queue", "/api/v1/jobs/1/output"):
        assert site.ask("GET", path, site.token).status == 403
    assert site.ask("POST", "/api/v1/jobs", site.token, {}).status == 403


@pytest.mark.parametrize("route", ALL)
def test_a_page_of_another_site_is_refused(tmp_path: Path, route: Route) -> None:
    site = AppSite(tmp_path, allowed=Allowed(anybody=frozenset(Scope)))

    assert site.ask(route.method, path_of(route), origin="https://evil.example").status == 403


@pytest.mark.parametrize("route", ALL)
def test_who_is_too_fast_is_told_so(tmp_path: Path, route: Route) -> None:
    site = AppSite(tmp_path, pace=Pace(1, 0.001))
    asked(site, route, site.token)

    assert asked(site, route, site.token) == 429


def test_a_token_that_acts_for_one_user_acts_for_no_other(site: AppSite) -> None:
    token = site.token_of(APP, "ann")
    path = f"/api/v1/apps/{APP.id}/jobs"

    assert site.ask("GET", f"{path}?user=ann", token).status == 200
    assert site.ask("GET", f"{path}?user=bob", token).status == 403
    assert site.ask("GET", f"/api/v1/apps/{OTHER.id}/jobs?user=ann", token).status == 404
