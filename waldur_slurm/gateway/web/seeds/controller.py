"""slurm-controller's routes: jobs handed in, looked at and cancelled, files read, as one account.

Whoever asks is that account; what is not its own is as what is not there.
"""

import posixpath

import msgspec
from starlette.responses import PlainTextResponse, Response

from waldur_slurm.gateway.acting.meant import Asked
from waldur_slurm.gateway.errors import Denied, NotOffered, NotThere, TooLarge, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.owned import acted_for
from waldur_slurm.gateway.web.native.serving import Sent, send
from waldur_slurm.gateway.web.native.steer import cancel_one
from waldur_slurm.gateway.web.native.submit import MOST_BODY, hand_in
from waldur_slurm.gateway.web.native.whereabouts import find
from waldur_slurm.gateway.web.seeds.controller_site import Controller
from waldur_slurm.gateway.web.seeds.controller_wire import live_view, past_view
from waldur_slurm.hand.requests import MOST_SCRIPT
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.names import UserName

NOT_HERE = "these routes are served by slurm-controller, which is one account"


class Command(msgspec.Struct, frozen=True):
    """`command` is a whole batch script."""

    command: str = ""


async def sbatch(ask: Ask) -> Response:
    """Hand a script in; an `Idempotency-Key` names the job, without one each is a new job."""
    controller(ask)
    script = (await ask.body(Command, MOST_BODY)).command
    if not script:
        raise WrongAsk("command must not be empty: it is the whole batch script")
    if len(script.encode()) > MOST_SCRIPT:
        raise TooLarge(f"the script is larger than {MOST_SCRIPT} bytes")
    placed, _ = await hand_in(ask, account(ask), BatchSheet(script))
    return PlainTextResponse(str(placed.job_id))


async def sacct(ask: Ask) -> Response:
    """Tell a job, or each part of one; of a job that was only just handed in as well."""
    controller(ask)
    wanted = read_id(ask.request.path_params["job_id"])

    async def shown(users: frozenset[UserName]) -> frozenset[UserName]:
        return await acted_for(ask, users)

    found = await find(ask, wanted, shown)
    views = [*map(live_view, found.rows)] or [*map(past_view, found.past)]
    if not views:
        raise NotThere(f"there is no job {wanted}, or none of this account")
    return Response(msgspec.json.encode(views), media_type=JSON)


async def scancel(ask: Ask) -> Response:
    """Cancel it; nothing is left to do for what has ended already."""
    controller(ask)
    await cancel_one(ask, Asked(read_id(ask.request.path_params["job_id"])))
    return PlainTextResponse("")


async def open_file(ask: Ask) -> Response:
    """Send a file below the roots, and no other."""
    folder = controller(ask).folder
    paths = ask.request.query_params.getlist("path")
    if len(paths) != 1 or not paths[0]:
        raise WrongAsk("no path query parameter is found: /open?path=FILE takes one")
    if ".." in paths[0].split("/"):
        raise Denied(f"{paths[0]} leads up; a path leads down from one of the roots")
    path = posixpath.normpath(posixpath.join(folder, paths[0]))
    return await send(ask, Sent(account(ask), path))


async def srun(_ask: Ask) -> Response:
    raise NotOffered(
        "no command is run here while the client waits; hand a script in by POST /sbatch, and let"
        " that call srun"
    )


def controller(ask: Ask) -> Controller:
    """Return what is known of it; raises `NotOffered` where this is another gateway."""
    if ask.site.controller is None:
        raise NotOffered(NOT_HERE)
    return ask.site.controller


def account(ask: Ask) -> UserName:
    """Return who is acted as: there is one only."""
    if ask.principal.himself is None:
        raise Denied(f"{ask.principal} acts as nobody, or as several; here it has to be one")
    return ask.principal.himself
