"""Hands jobs in, once for each key; or tells what Slurm would do with one."""

import re
from dataclasses import replace
from secrets import token_urlsafe
from typing import Annotated

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.submits.attempt import Key, Placed, Wanted
from waldur_slurm.gateway.submits.submitter import demand_submittable
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.sheets import JobAsked, sheet_of
from waldur_slurm.gateway.wire import PlacedView, StartView
from waldur_slurm.hand.requests import MOST_SCRIPT, MOST_VARIABLES
from waldur_slurm.model.batch import BatchSheet, Estimate
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.batch.grammar.directives import says

MOST_BODY = 2 * MOST_SCRIPT + MOST_VARIABLES
"""JSON writes many a character with two."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_KEY_SAYS = msgspec.Meta(
    description="names this job for a month; without one each request is a job of its own",
    extra_json_schema={"pattern": f"^{_KEY.pattern}$"},
)


class SubmitQuery(msgspec.Struct, frozen=True):
    """`dry_run`: nothing is handed in; the answer says when and where it would start."""

    dry_run: bool = False


class SubmitHeaders(msgspec.Struct, frozen=True, rename={"key": "Idempotency-Key"}):
    key: Annotated[str, _KEY_SAYS] | msgspec.UnsetType = msgspec.UNSET


async def submit(ask: Ask) -> Response:
    query = ask.query(SubmitQuery)
    asked = await ask.body(JobAsked, MOST_BODY)
    sheet, user = sheet_of(asked), _user_of(ask, asked)
    if query.dry_run or asked.dry_run:
        return await _estimate(ask, user, sheet)
    placed, is_again = await hand_in(ask, UserName(user), sheet, asked.mark)
    return Response(
        msgspec.json.encode(_placed_view(placed)),
        status_code=200 if is_again else 201,
        headers={"Location": f"/api/v1/clusters/{placed.cluster}/jobs/{placed.job_id}"},
        media_type=JSON,
    )


async def hand_in(
    ask: Ask, user: UserName, sheet: BatchSheet, mark: str = ""
) -> tuple[Placed, bool]:
    """Hand a job in under the client's key; say whether it was there before."""
    key = Key(str(ask.principal), key_of(ask))
    wanted = Wanted(ask.cluster.name, user, _placed(ask, sheet), mark)

    def work(actor: Actor) -> tuple[Placed, bool]:
        return ask.site.submitter.submit(actor, key, wanted)

    return await ask.acting(user, work)


def _placed(ask: Ask, sheet: BatchSheet) -> BatchSheet:
    """Let a controller's job run where that was started, unless it says where."""
    controller = ask.site.controller
    if controller is None or "chdir" in sheet.options or says(sheet.script, "chdir", "D"):
        return sheet
    return replace(sheet, options={**sheet.options, "chdir": controller.folder})


async def _estimate(ask: Ask, user: str, sheet: BatchSheet) -> Response:
    def work(actor: Actor) -> Estimate:
        demand_submittable(sheet)
        return actor.batch.estimate(sheet)

    found = await ask.acting(user, work)
    view = StartView(found.starts, found.processors, found.nodes, found.partition)
    return Response(msgspec.json.encode(view), media_type=JSON)


def _user_of(ask: Ask, asked: JobAsked) -> str:
    user = asked.user or ask.principal.himself
    if not user:
        raise WrongAsk(f"user: {ask.principal} acts for nobody, or for several; say for whom")
    return user


def key_of(ask: Ask) -> str:
    """Return the client's key; without one each request is a job of its own."""
    keys = ask.request.headers.getlist("Idempotency-Key")
    if not keys:
        return f"once:{token_urlsafe(16)}"
    if len(keys) > 1:
        raise WrongAsk("Idempotency-Key comes twice; one request has one key")
    if _KEY.fullmatch(keys[0]) is None:
        raise WrongAsk("Idempotency-Key: 1 to 255 visible characters of ASCII are expected")
    return keys[0]


def _placed_view(placed: Placed) -> PlacedView:
    return PlacedView(
        job_id=str(placed.job_id),
        submit_time=placed.submitted,
        cluster=placed.cluster,
        work_dir=placed.work_dir,
        stdout=placed.stdout,
        stderr=placed.stderr,
    )
