"""From a request to what it shows of whoever asks."""

from starlette.requests import Request

from waldur_slurm.gateway.doors.shown import Place, Shown


def shown_by(request: Request) -> Shown:
    headers = request.headers
    server = request.scope.get("server")
    return Shown(
        authorization=headers.getlist("authorization"),
        app_token=headers.getlist("x-auth-token"),
        host=headers.get("host", ""),
        origin=headers.get("origin", ""),
        is_forwarded="forwarded" in headers or "x-forwarded-for" in headers,
        peer=Place(*request.client) if request.client else None,
        listener=Place(*server) if server else None,
    )
