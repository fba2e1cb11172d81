"""Refusals in the native shape: `application/problem+json` (RFC 9457), of a closed set of types."""

import json
from math import ceil

from starlette.responses import Response

from waldur_slurm.gateway.errors import BeyondEnd, GatewayError, Refused, TryLater

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:slurm-gateway:problem:"


def problem(error: GatewayError, request_id: str) -> Response:
    """`detail` says what is wrong and what to do; `type` is for programs, and never changes."""
    body: dict[str, object] = {
        "type": f"{TYPE}{error.kind}",
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "request_id": request_id,
    }
    if isinstance(error, Refused):
        body["refusal"] = error.refusal
        body["limit"] = error.limit
    return Response(
        json.dumps(body).encode(),
        status_code=error.status,
        headers=advice(error),
        media_type=MEDIA_TYPE,
    )


def advice(error: GatewayError) -> dict[str, str]:
    """Headers that say how to go on; every shape of a refusal carries them."""
    if isinstance(error, TryLater):
        return {"Retry-After": str(max(ceil(error.after_s), 1))}
    if isinstance(error, BeyondEnd):
        return {"Content-Range": f"bytes */{error.size}"}
    if error.status == 401:
        return {"WWW-Authenticate": 'Bearer realm="slurm-gateway"'}
    return {}
