"""One job as a page, which is what the drawer shows too: what it is, what it wrote, what to do."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import GatewayError, NotOffered
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.job import Found, find_job, with_efficiency
from waldur_slurm.gateway.web.native.owned import acted_for, find_one
from waldur_slurm.gateway.web.native.pieces import OutputQuery, read_piece
from waldur_slurm.gateway.web.pages.acts import SAID, offered
from waldur_slurm.gateway.web.pages.forms import session_of
from waldur_slurm.gateway.web.pages.rendering import api_of, page, shown
from waldur_slurm.gateway.wire import JobView
from waldur_slurm.model.names import UserName

TAIL = 16 * 1024
MOST_PARTS = 200


class JobPageQuery(msgspec.Struct, frozen=True):
    """`output`: whose end is to be in the page itself; `done`: what was just done."""

    output: Literal["", "out", "err"] = ""
    done: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What may be read of it: `text` is there where it was asked for, `said` where it is not had.

    `address`: where the native API has it.
    """

    address: str
    stream: str
    text: str | None = None
    said: str = ""


@page
async def show_job(ask: Ask) -> Response:
    query = ask.query(JobPageQuery)
    found = await find_job(ask, read_id(ask.request.path_params["job_id"]))
    view = await _with_efficiency(ask, found)
    is_owner = await _acts_for(ask, view)
    return await shown(
        ask,
        "job.html",
        title=f"Job {view.job_id}",
        job=view,
        parts=found.parts if len(found.parts) > 1 else (),
        most_parts=MOST_PARTS,
        acts=offered(ask, view) if is_owner and session_of(ask) else (),
        output=await _output(ask, view, query) if is_owner else None,
        done=SAID.get(query.done, ""),
        age_s=found.seen.age_s,
        silence=found.seen.silence,
    )


async def _with_efficiency(ask: Ask, found: Found) -> JobView:
    """Add it where the accounting tells it at once; the page does not wait for a silent one."""
    view = found.view
    is_allowed = isinstance(decide(ask.principal, Scope.HISTORY_READ), Yes)
    if not view.terminal or not is_allowed or len(found.parts) > 1:
        return view
    try:
        return await with_efficiency(ask, view, found.seen.picture.began)
    except GatewayError:
        return view


async def _acts_for(ask: Ask, view: JobView) -> bool:
    try:
        ask.site.actors.demand(ask.cluster.name)
    except NotOffered:
        return False
    user = UserName(view.user)
    return user in await acted_for(ask, frozenset({user}))


async def _output(ask: Ask, view: JobView, query: JobPageQuery) -> Output | None:
    if not isinstance(decide(ask.principal, Scope.OUTPUT_READ), Yes) or _is_whole_array(view):
        return None
    address = f"{api_of(ask)}/jobs/{quote(view.job_id)}/output"
    if not query.output:
        return Output(address, "out")
    try:
        job = await find_one(ask, read_id(view.job_id))
        piece = await read_piece(ask, job, OutputQuery(stream=query.output, tail=TAIL))
    except GatewayError as error:
        return Output(address, query.output, said=str(error))
    return Output(address, query.output, piece.data.decode("utf-8", "replace"))


def _is_whole_array(view: JobView) -> bool:
    return view.array is not None and view.array.task_id is None
