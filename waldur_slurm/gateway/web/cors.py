"""Lets pages of other sites read some routes, where the site says which pages (the CORS protocol).

A browser's own credentials are never let in. A token that a page has itself is, from pages that are
named; where any page may read, it has none to show. These routes alone are opened to any page: all
others refuse one that is not named.
"""

from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from waldur_slurm.gateway.web.guarding import guarded
from waldur_slurm.gateway.web.showing import OF_ANY_PAGE

ANY = "*"
_METHODS = "GET, HEAD, OPTIONS"
_AN_HOUR_S = "3600"


class Cors:
    """Around an application; `paths` are the routes that may be read."""

    def __init__(self, app: ASGIApp, paths: Collection[str], origins: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        given = self._allowed(asked.get("origin", ""))
        if scope["method"] == "OPTIONS":
            await self._answer_before(asked, given)(scope, receive, send)
            return

        if given and scope["method"] in ("GET", "HEAD"):
            pages = asked.getlist("origin")
            scope = {
                **scope,
                "headers": _without_what_browsers_add(scope["headers"]),
                OF_ANY_PAGE: not self._origins.issuperset(pages),
            }

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(given)
                if given:
                    headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with)

    def _allowed(self, origin: str) -> dict[str, str]:
        if ANY in self._origins:
            return {"Access-Control-Allow-Origin": origin or ANY}
        if origin and origin in self._origins:
            return {"Access-Control-Allow-Origin": origin}
        return {}

    def _answer_before(self, asked: Headers, given: dict[str, str]) -> Response:
        """Answer what a browser asks before the request itself: it shows nothing of anybody."""
        headers = {"Allow": _METHODS, **given}
        if given and "access-control-request-method" in asked:
            headers |= {"Access-Control-Allow-Methods": _METHODS}
            headers |= {"Access-Control-Max-Age": _AN_HOUR_S, "Vary": "Origin"}
            if ANY not in self._origins:
                headers["Access-Control-Allow-Headers"] = "Authorization, If-None-Match"
        return guarded(Response(headers=headers, media_type="text/html"))


def _without_what_browsers_add(
    headers: Iterable[tuple[bytes, bytes]],
) -> list[tuple[bytes, bytes]]:
    """That a page asks is decided; which one, and who looks at it, the doors need not know."""
    return [(name, value) for name, value in headers if name not in (b"origin", b"cookie")]
