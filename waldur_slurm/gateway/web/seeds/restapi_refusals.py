"""How the second original's surface says no.

Its clients take a status of 200 with `errors` for a question that was wrong, as they always did. A
closed door, a silent Slurm and a defect have their own statuses all the same: whoever keeps what he
was answered must never keep those.
"""

import json
from html import escape

from starlette.responses import HTMLResponse, Response

from waldur_slurm.gateway.errors import GatewayError, NotThere, WrongMethod
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.problems import advice
from waldur_slurm.gateway.web.seeds.restapi_history import WrongQuery

_TITLE = "Python Exception"
"""What the original calls everything that is asked wrongly; programs may look for it."""


def refusal(error: GatewayError, _request_id: str) -> Response:
    headers = advice(error)
    match error:
        case NotThere():
            page = f"<!DOCTYPE html>\n<title>404 Not Found</title>\n<p>{escape(str(error))}</p>\n"
            return HTMLResponse(page, status_code=404, headers=headers)
        case WrongMethod():
            return _json({"message": str(error)}, error.status, headers)
        case WrongQuery():
            return _json(_errors(_TITLE, error), 200, headers)
        case _:
            return _json(_errors(error.title, error), error.status, headers)


def _errors(title: str, error: GatewayError) -> dict[str, object]:
    return {"errors": [{"title": title, "meta": {"args": [str(error)]}}]}


def _json(body: dict[str, object], status: int, headers: dict[str, str]) -> Response:
    text = json.dumps(body) + "\n"
    return Response(text.encode(), status_code=status, headers=headers, media_type=JSON)
