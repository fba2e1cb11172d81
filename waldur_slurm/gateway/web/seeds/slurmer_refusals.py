"""How the first original's surface says no: a status and its phrase, as text.

Its clients look at the status alone. What is wrong, and what to do, is in the header `X-Detail`.
"""

from http import HTTPStatus

from starlette.responses import Response

from waldur_slurm.gateway.errors import Denied, GatewayError, NoSuchAddress, WrongAsk, WrongMethod
from waldur_slurm.gateway.web.problems import advice

DETAIL = "X-Detail"
_LONGEST = 500


class InvalidToken(Denied):
    """A token of the issuer was shown that is no good."""


class WrongApp(WrongAsk):
    """A body that describes no app."""


_PHRASES = {
    InvalidToken: "Invalid token",
    WrongApp: "Error in application body",
    NoSuchAddress: "404 page not found",
}


def refusal(error: GatewayError, _request_id: str) -> Response:
    phrase = _PHRASES.get(type(error)) or HTTPStatus(error.status).phrase
    headers = {**advice(error), DETAIL: header(str(error))}
    if isinstance(error, WrongMethod):
        return Response(status_code=error.status, headers=headers)
    return Response(
        f"{phrase}\n",
        status_code=error.status,
        headers=headers,
        media_type="text/plain",
    )


def header(text: str) -> str:
    """Write it so that no letter of it can be another header."""
    return ascii(text)[1:-1][:_LONGEST]
