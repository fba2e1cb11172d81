"""How slurm-controller's routes say no: a status and words, as text.

What Slurm refuses is 500, as it was; a closed door, a silent Slurm and what is not there have their
own. Browsers are turned away whatever they ask: a link on anybody's page would cancel a job.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from waldur_slurm.gateway.errors import Denied, GatewayError, NoSuchAddress, Refused
from waldur_slurm.gateway.web.problems import advice, problem

FAILED = 500
API = "/api/"
_OF_BROWSERS = ("origin", "referer", "sec-fetch-site", "sec-fetch-mode", "cookie")
_CALLED = "mozilla/"
"""As every browser calls itself, and no page can make it call itself otherwise."""


def refusal(error: GatewayError, _request_id: str) -> Response:
    status = FAILED if isinstance(error, Refused) else error.status
    return PlainTextResponse(f"{error}\n", status_code=status, headers=advice(error))


def no_api(request_id: str) -> Response:
    """Tell an operator, in the shape that it reads, that nothing was done, and what to do."""
    words = "this is a slurm-controller, which serves operators where it is started with -api"
    return problem(NoSuchAddress(words), request_id)


def refuse_browsers(request: Request) -> None:
    """Raises `Denied`."""
    headers = request.headers
    is_called_so = headers.get("user-agent", "").lower().startswith(_CALLED)
    if is_called_so or any(name in headers for name in _OF_BROWSERS):
        raise Denied("no browser is answered here; ask with curl, or with another program")
