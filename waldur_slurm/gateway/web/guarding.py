"""What every answer tells browsers and caches, where it does not say otherwise itself."""

from collections.abc import Mapping

from starlette.responses import Response

_OTHERWISE: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""No cache keeps it for others, and no browser guesses what it is, runs or frames it."""


def guarded(response: Response) -> Response:
    for name, value in _OTHERWISE.items():
        response.headers.setdefault(name, value)
    return response
