"""Holds each native answer that went well to what its row of the table of routes says."""

from collections.abc import Iterator
from functools import cache
from re import Pattern

import msgspec
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.routes import ROUTES

OF_ANY_FILE = {206, 304}
"""A part of what is there, or that it is as it was: HTTP's own, with nothing of the row's."""


def documented(app: ASGIApp) -> ASGIApp:
    """Let a test fail whose answer has another status, type or fields than the document says.

    Who asks for some `fields` alone is told those.
    """

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        route = None if b"fields=" in scope["query_string"] else _route_of(scope)
        said: list[Message] = []

        async def sent(message: Message) -> None:
            said.append(message)
            await send(message)

        await app(scope, receive, sent)
        if route and said:
            _check(route, said[0], b"".join(bytes(part.get("body", b"")) for part in said[1:]))

    return asked


def _check(route: Route, start: Message, body: bytes) -> None:
    status, headers = start["status"], dict(start["headers"])
    if status >= 400 or status in OF_ANY_FILE:
        return
    named = f"{route.method} {route.path}"
    kinds = [kind for at, kind in _promised(route) if at == status]
    assert kinds, f"{named} answers {status}, of which its row says nothing"
    kind = headers.get(b"content-type", b"").decode()
    if status == 204:
        assert (kind, body) == ("", b""), named
    elif status == route.status:
        assert _plain(kind) in map(_plain, route.media_types), f"{named} answers {kind}"
    if _plain(kind) == JSON and b"content-encoding" not in headers and any(kinds):
        assert any(_is_one(body, each) for each in kinds), f"{named} answers {body!r}"


def _promised(route: Route) -> Iterator[tuple[int, type | None]]:
    yield route.status, route.answer
    yield from ((200, kind) for kind in route.also)


def _is_one(body: bytes, kind: type | None) -> bool:
    if kind is None:
        return True
    try:
        msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        return False
    return True


def _plain(kind: str) -> str:
    return kind.partition(";")[0]


def _route_of(scope: Scope) -> Route | None:
    found = (
        route
        for pattern, route in _native()
        if route.method == scope["method"] and pattern.match(scope["path"])
    )
    return next(found, None)


@cache
def _native() -> tuple[tuple[Pattern[str], Route], ...]:
    return tuple(
        (compile_path(route.pattern)[0], route)
        for route in ROUTES
        if route.surface is Surface.NATIVE
    )
