"""How the third original's surface says no: `{"error": "..."}`, as JSON.

Its document has one status for what is wrong, 400. A closed door, a silent Slurm and a defect have
their own all the same. Where the words are the original's, the header `X-Detail` says more.
"""

from starlette.responses import Response

from waldur_slurm.gateway.errors import (
    Busy,
    GatewayError,
    NoSuchAddress,
    NotThere,
    OtherBody,
    Refused,
    WrongAsk,
)
from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.problems import advice
from waldur_slurm.gateway.web.seeds.proxy_wire import told, written
from waldur_slurm.gateway.web.seeds.slurmer_refusals import DETAIL, header

WRONG = 400


class Wrong(WrongAsk):
    """The original's words; `detail` says what they leave out."""

    def __init__(self, words: str, detail: str = "", *, is_brief: bool = False) -> None:
        """`is_brief`: on one line, as Flask itself wrote it."""
        super().__init__(words)
        self.detail = detail
        self.is_brief = is_brief


class Unknown(NotThere):
    """There is no such monitor, or none that whoever asks may see; `status` is by the reading."""

    def __init__(self, words: str, reading: Reading, *, is_brief: bool = True) -> None:
        super().__init__(words)
        self.reading = reading
        self.is_brief = is_brief


def refusal(error: GatewayError, _request_id: str) -> Response:
    headers = advice(error)
    if isinstance(error, Wrong) and error.detail:
        headers[DETAIL] = header(error.detail)
    is_brief = isinstance(error, Wrong | Unknown) and error.is_brief
    body = told(str(error)) if is_brief else written({"error": str(error)})
    return Response(body, status_code=_status(error), headers=headers, media_type=JSON)


def _status(error: GatewayError) -> int:
    match error:
        case Unknown(reading=Reading.DOCUMENT):
            return WRONG
        case NoSuchAddress() | Unknown():
            return error.status
        case Busy() | OtherBody() | Refused() | NotThere():
            return WRONG
        case _:
            return error.status
