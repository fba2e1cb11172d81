"""Jobs are cancelled, held, released, requeued, suspended and changed, each as its owner."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from starlette.responses import PlainTextResponse, Response

from waldur_slurm.gateway.acting.meant import Asked, Meant
from waldur_slurm.gateway.acting.steering import RUNS_AGAIN, Outcome, Steering
from waldur_slurm.gateway.errors import GatewayError, NotThere, Refused, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask, Handler
from waldur_slurm.gateway.web.native.filters import read_id, read_time
from waldur_slurm.gateway.web.native.finding import Ended, find_all, find_one
from waldur_slurm.gateway.web.native.steer_bodies import (
    CancelAnswer,
    Cancelling,
    CancelQuery,
    CancelView,
    Changes,
    MarkQuery,
)
from waldur_slurm.model.batch import Cancelled, JobId
from waldur_slurm.model.names import UserName

T = TypeVar("T")

_QUOTED = re.compile(r'\s*"([^"]+)"\s*')


async def cancel(ask: Ask) -> Response:
    """Nothing is left to do for what has ended already."""
    query = ask.query(CancelQuery)
    await cancel_one(ask, _asked(ask, query.mark), query.signal)
    return Response(status_code=204)


async def cancel_one(ask: Ask, asked: Asked, signal: str = "") -> None:
    """Raises what says why it was not done."""
    (outcome,) = await _cancel_all(ask, [asked], signal)
    if isinstance(outcome, GatewayError):
        raise outcome


async def cancel_many(ask: Ask) -> Response:
    ask.site.actors.demand(ask.cluster.name)
    body = await ask.body(Cancelling)
    asked = [Asked(read_id(wish.job_id), wish.submit_time, wish.mark) for wish in body.jobs]
    outcomes = await _cancel_all(ask, asked, body.signal)
    views = tuple(
        _view(wish.job_id, outcome) for wish, outcome in zip(body.jobs, outcomes, strict=True)
    )
    return Response(msgspec.json.encode(CancelAnswer(views)), media_type=JSON)


def controlling(verb: str) -> Handler:
    """Make what answers `POST /jobs/{job_id}/VERB`."""

    async def control(ask: Ask) -> Response:
        await control_one(ask, _asked(ask, ask.query(MarkQuery).mark), verb)
        return Response(status_code=204)

    return control


async def control_one(ask: Ask, asked: Asked, verb: str) -> None:
    meant = _alive(await find_one(ask, asked, each=verb in RUNS_AGAIN))
    await _act(ask, meant.user, lambda as_owner: as_owner.control(verb, meant))


async def change(ask: Ask) -> Response:
    ask.site.actors.demand(ask.cluster.name)
    asked = _asked(ask, ask.query(MarkQuery).mark)
    changes = _set_fields(await ask.body(Changes))
    meant = _alive(await find_one(ask, asked))
    if not changes:
        raise WrongAsk("the body: expected at least one thing to change")
    await _act(ask, meant.user, lambda as_owner: as_owner.update(meant, changes))
    return Response(status_code=204)


async def show_script(ask: Ask) -> Response:
    """As long as slurmctld has the job; of what others wrote nobody's browser makes a page."""
    found = await find_one(ask, _asked(ask, ask.query(MarkQuery).mark))
    if isinstance(found, Ended):
        raise NotThere(f"job {found.meant.job} has ended, and slurmctld has its script no more")
    script = await _as_owner(ask, found.user, lambda as_owner: as_owner.read_script(found))
    return PlainTextResponse(script, headers={"X-Content-Type-Options": "nosniff"})


def _asked(ask: Ask, mark: str | None) -> Asked:
    return Asked(read_id(ask.request.path_params["job_id"]), _submitted(ask), mark)


def _submitted(ask: Ask) -> datetime | None:
    """Read `If-Match: "2026-11-30T12:00:00Z"`, the time at which the job was submitted."""
    given = ask.request.headers.getlist("if-match")
    if not given:
        return None
    found = _QUOTED.fullmatch(given[0])
    if found is None or len(given) > 1:
        raise WrongAsk(
            'If-Match: expected one time of submission in quotes: "2026-11-30T12:00:00Z"'
        )
    return read_time(found[1])


def _alive(found: Meant | Ended) -> Meant:
    if isinstance(found, Ended):
        words = f"job {found.meant.job} has ended, and slurmctld knows it no more"
        raise Refused(words, "not-in-this-state")
    return found


async def _act(ask: Ask, user: UserName, work: Callable[[Steering], T]) -> T:
    """However it ends, nobody is shown what was before as what is now."""
    try:
        return await _as_owner(ask, user, work)
    finally:
        ask.cluster.jobs.forget()


async def _as_owner(ask: Ask, user: UserName, work: Callable[[Steering], T]) -> T:
    return await ask.acting(user, lambda actor: work(Steering(actor, ask.site.audit)))


async def _cancel_all(ask: Ask, asked: Sequence[Asked], signal: str) -> list[Outcome]:
    """Cancel what is found to be meant, by one scancel for each user; tell of each job."""
    found = await find_all(ask, asked)
    of_users: dict[UserName, dict[JobId, None]] = defaultdict(dict)
    for each in found:
        if isinstance(each, Meant):
            of_users[each.user][each.job] = None
    told = await asyncio.gather(
        *(_cancel_users(ask, user, [*jobs], signal) for user, jobs in of_users.items())
    )
    outcomes = {job: outcome for part in told for job, outcome in part.items()}
    return [_outcome(each, outcomes) for each in found]


async def _cancel_users(
    ask: Ask, user: UserName, jobs: Sequence[JobId], signal: str
) -> Mapping[JobId, Outcome]:
    """What is in one user's way is in nobody else's."""
    try:
        return await _act(ask, user, lambda as_owner: as_owner.cancel(jobs, signal))
    except GatewayError as error:
        return dict.fromkeys(jobs, error)


def _outcome(found: Meant | Ended | GatewayError, outcomes: Mapping[JobId, Outcome]) -> Outcome:
    match found:
        case Meant():
            return outcomes[found.job]
        case Ended():
            return Cancelled.OVER
        case _:
            return found


def _view(job_id: str, outcome: Outcome) -> CancelView:
    if isinstance(outcome, GatewayError):
        return CancelView(job_id, outcome.kind, str(outcome))
    return CancelView(job_id, "cancelled" if outcome is Cancelled.SENT else "over")


def _set_fields(changes: msgspec.Struct) -> Mapping[str, str]:
    return {
        name: str(value)
        for name in changes.__struct_fields__
        if (value := getattr(changes, name)) is not msgspec.UNSET
    }
