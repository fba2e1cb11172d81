"""From a request to what it shows of whoever asks."""

import time

from starlette.requests import Request

from waldur_slurm.gateway.doors.shown import Connection, Place, Shown

CONNECTION = "slurm_gateway.connection"
"""Where a request's state has the `Connection` that it came by."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def shown_by(request: Request) -> Shown:
    headers = request.headers
    return Shown(
        authorization=headers.getlist("authorization"),
        app_token=headers.getlist("x-auth-token"),
        host=headers.get("host", ""),
        origin=headers.getlist("origin"),
        is_forwarded=any(name in headers for name in _FORWARDED),
        forwarded_for=headers.getlist("x-forwarded-for"),
        connection=_connection(request),
        at=time.monotonic(),
    )


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
