"""From a request to what it shows of whoever asks."""

import time
from collections.abc import Sequence

from starlette.requests import Request

from waldur_slurm.gateway.doors.shown import Connection, Place, Shown

CONNECTION = "slurm_gateway.connection"
"""Where a request's state has the `Connection` that it came by."""

OF_ANY_PAGE = "slurm_gateway.of_any_page"
"""Set in the scope of what is read by a page that the site has not named."""

_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"})
_SHOWN = frozenset({b"authorization", b"x-auth-token", b"host", b"origin", b"cookie"}) | _FORWARDED

SESSION_COOKIE = "sgw_session"
_OF_THIS_HOST_ALONE = "__Host-"
"""Begins the name of a cookie that no other host of the same domain can set."""


def shown_by(request: Request) -> Shown:
    """Collect it in one pass: each request is looked at so."""
    found: dict[bytes, list[str]] = {}
    for name, value in request.scope["headers"]:
        if name in _SHOWN:
            found.setdefault(name, []).append(value.decode("latin-1"))
    return Shown(
        authorization=found.get(b"authorization", ()),
        app_token=found.get(b"x-auth-token", ()),
        session=kept_by(request, SESSION_COOKIE) if b"cookie" in found else "",
        host=found.get(b"host", [""])[0],
        origin=found.get(b"origin", ()),
        is_forwarded=not _FORWARDED.isdisjoint(found),
        forwarded_for=found.get(b"x-forwarded-for", ()),
        is_of_any_page=bool(request.scope.get(OF_ANY_PAGE)),
        connection=_connection(request),
        at=time.monotonic(),
    )


def is_by_tls(request: Request) -> bool:
    """Tell whether the browser came by TLS, to this gateway or to the proxy that says so."""
    by = request.scope.get("scheme"), request.headers.get("x-forwarded-proto")
    return "https" in by


def cookie_named(request: Request, name: str) -> str:
    """Return what a cookie is called here: only by TLS browsers hold it to be this host's own."""
    return f"{_OF_THIS_HOST_ALONE}{name}" if is_by_tls(request) else name


def kept_by(request: Request, name: str) -> str:
    """Return what the browser has kept for us under this name, else nothing."""
    return _cookie(request.headers.getlist("cookie"), cookie_named(request, name))


def _cookie(headers: Sequence[str], name: str) -> str:
    """Return what a cookie holds; of two of one name the first, as browsers send the nearest."""
    pairs = (pair.strip().partition("=") for header in headers for pair in header.split(";"))
    return next((value.strip('"') for found, _, value in pairs if found == name), "")


def _connection(request: Request) -> Connection:
    """Return the connection; a server that keeps none leaves each request to itself."""
    found = request.scope.get("state", {}).get(CONNECTION)
    if isinstance(found, Connection):
        return found
    client, server = request.client, request.scope.get("server")
    return Connection(
        peer=Place(*client) if client else None,
        listener=Place(server[0], server[1] or 0) if server else None,
    )
