"""The application: each route behind its door, each refusal in its surface's shape."""

import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from secrets import token_hex
from time import monotonic

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as Mounted

from waldur_slurm.gateway.doors.decide import No, decide
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.errors import (
    Denied,
    GatewayError,
    NoSuchAddress,
    NotSignedIn,
    WrongMethod,
)
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.admitting import Admission, Doorkeeper
from waldur_slurm.gateway.web.ask import Ask, Site
from waldur_slurm.gateway.web.cors import Cors
from waldur_slurm.gateway.web.guarding import guarded
from waldur_slurm.gateway.web.pages.refusals import refusal as page_refusal
from waldur_slurm.gateway.web.pages.rendering import read_pages
from waldur_slurm.gateway.web.problems import problem
from waldur_slurm.gateway.web.route import Public, Route
from waldur_slurm.gateway.web.routes import ROUTES
from waldur_slurm.gateway.web.seeds.controller_refusals import API, no_api, refuse_browsers
from waldur_slurm.gateway.web.seeds.controller_refusals import refusal as controller_refusal
from waldur_slurm.gateway.web.seeds.proxy_refusals import refusal as proxy_refusal
from waldur_slurm.gateway.web.seeds.restapi_refusals import refusal as restapi_refusal
from waldur_slurm.gateway.web.seeds.slurmer_doors import admit_app
from waldur_slurm.gateway.web.seeds.slurmer_refusals import refusal as slurmer_refusal
from waldur_slurm.gateway.web.showing import shown_by
from waldur_slurm.telemetry.events import Event, Level

Shape = Callable[[GatewayError, str], Response]
SHAPES: Mapping[Surface, Shape] = {
    Surface.RESTAPI: restapi_refusal,
    Surface.SLURMER: slurmer_refusal,
    Surface.PROXY: proxy_refusal,
    Surface.PAGES: page_refusal,
    Surface.CONTROLLER: controller_refusal,
}
"""How a surface refuses, where it does not as the native one does."""

_SLASHED = frozenset({Surface.SLURMER, Surface.PROXY})

REQUEST_ID = "X-Request-ID"

_LOOKS = frozenset({"GET", "HEAD"})


def application(site: Site, doorkeeper: Doorkeeper, surfaces: Collection[Surface]) -> Starlette:
    """Mount the routes of these surfaces."""
    if Surface.PAGES in surfaces:
        read_pages()
    admission = Admission(doorkeeper, site.crossing)
    routes = [
        Mounted(path, _endpoint(route, site, admission), methods=[route.method])
        for route in ROUTES
        if route.surface in surfaces
        for path in _paths(route)
    ]
    paths = {route.path for route in ROUTES if route.surface is Surface.RESTAPI}
    readable = paths if Surface.RESTAPI in surfaces else set[str]()
    made = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _refusing_unrouted(surfaces)},
        middleware=[Middleware(Cors, readable, site.restapi.origins)],
    )
    made.router.redirect_slashes = False
    return made


def _endpoint(
    route: Route, site: Site, admission: Admission
) -> Callable[[Request], Awaitable[Response]]:
    shape = SHAPES.get(route.surface, problem)
    if route.surface is Surface.PAGES:
        shape = partial(page_refusal, site=site)
    is_a_browsers = route.surface is Surface.PAGES or route.method in _LOOKS

    async def answer(request: Request) -> Response:
        request_id, began = token_hex(8), monotonic()
        try:
            shown = shown_by(request)
            if route.is_by_any_name:
                shown = replace(shown, host="")
            if shown.session and not is_a_browsers:
                shown = replace(shown, session="")  # only our forms prove that a page of ours asks
            principal = await _admitted(route, request, site, admission, shown)
            _pass(principal, route)
            again = partial(admission.admit_again, shown)
            response = await route.handler(Ask(request, principal, site, request_id, again))
        except GatewayError as error:
            response = shape(error, request_id)
        except ClientDisconnect:
            response = Response(status_code=400)
        except Exception:  # noqa: BLE001 - a defect in one answer must not end the service
            fields = {"request_id": request_id, "traceback": traceback.format_exc()}
            site.tell(Event(name="request.crashed", level=Level.ERROR, fields=fields))
            response = shape(GatewayError("a defect of the gateway; its log says more"), request_id)
        response.headers[REQUEST_ID] = request_id
        answered: dict[str, object] = {
            "route": f"{route.method} {route.path}",
            "status": response.status_code,
            "seconds": round(monotonic() - began, 3),
        }
        site.tell(Event(name="request.answered", level=Level.DEBUG, fields=answered))
        return guarded(response)

    return answer


def _paths(route: Route) -> tuple[str, ...]:
    """Two of the originals do not mind a last slash; nor does whoever types an address."""
    pattern = route.pattern
    has_slash = route.surface in _SLASHED or pattern == "/ui"
    return (pattern, f"{pattern}/") if has_slash else (pattern,)


async def _admitted(
    route: Route, request: Request, site: Site, admission: Admission, shown: Shown
) -> Principal:
    if route.surface is Surface.CONTROLLER:
        refuse_browsers(request)
    if route.surface is not Surface.SLURMER:
        return await admission.admit(shown)
    needs_issuer = site.managed is not None and site.managed.needs_issuer
    return await admit_app(admission, shown, needs_issuer=needs_issuer)


def _pass(principal: Principal, route: Route) -> None:
    if isinstance(route.scope, Public):
        return
    answer = decide(principal, route.scope, is_of_one_job=route.is_of_one_job)
    if isinstance(answer, No):
        raise (NotSignedIn if answer.is_sign_in_missing else Denied)(answer.why)


def _refusing_unrouted(
    surfaces: Collection[Surface],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Refuse what is no route, or not in this way, in the shape of the surface that is meant."""
    shapes = {
        route.path: SHAPES.get(route.surface, problem)
        for route in ROUTES
        if route.surface in surfaces
    }
    otherwise = SHAPES.get(next(iter(surfaces)), problem) if len(surfaces) == 1 else problem
    of_pages = page_refusal if Surface.PAGES in surfaces else otherwise
    is_controller = {*surfaces} == {Surface.CONTROLLER}

    async def refuse(request: Request, error: Exception) -> Response:
        if is_controller and request.url.path.startswith(API):
            return no_api(token_hex(8))
        is_page = request.url.path.startswith("/ui/")
        shape = shapes.get(request.url.path.rstrip("/") or "/", of_pages if is_page else otherwise)
        if isinstance(error, HTTPException) and error.headers:
            allowed = error.headers.get("Allow", "")
            response = shape(WrongMethod(f"this address takes {allowed}"), token_hex(8))
            response.headers["Allow"] = allowed
        else:
            response = shape(NoSuchAddress("there is no such address"), token_hex(8))
        return guarded(response)

    return refuse
