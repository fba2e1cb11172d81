"""One job, wherever it is on its way: in the queue, in the accounting, or not known.

What left slurmctld's list has not ended for that: how it ended only the accounting says. While that
is silent the answer is "not now", never "there is none".
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Annotated, Literal

import anyio
import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import NotThere
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.answers import JSON, seen_headers
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.past_views import efficiency_view, past_job_view
from waldur_slurm.gateway.web.native.views import job_view
from waldur_slurm.gateway.web.native.whereabouts import find, recall
from waldur_slurm.gateway.wire import JobView, StateView
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob

LONGEST_WAIT_S = 60


class JobQuery(msgspec.Struct, frozen=True):
    """`wait` seconds until the job is `terminal`, has `started`, or `change`s in any way."""

    wait: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)] = 0
    until: Literal["terminal", "started", "change"] = "terminal"
    efficiency: bool = False
    """Of an ended job: costs the accounting a query more."""


class PartsAnswer(msgspec.Struct, frozen=True):
    """A job that is no array has one part: itself. Tasks that wait together are one too."""

    cluster: str
    as_of: datetime
    jobs: tuple[JobView, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """All parts of a job as they are shown, with the picture that tells their age."""

    parts: tuple[JobView, ...]
    seen: Seen[JobsNow]

    @property
    def view(self) -> JobView:
        """The part that is least far: what is said of the whole is true of each part."""
        return min(self.parts, key=_how_far)


_UNTIL: dict[str, Callable[[JobView, JobView], bool]] = {
    "terminal": lambda _first, now: now.terminal,
    "started": lambda _first, now: now.phase != "pending",
    "change": lambda first, now: now.terminal or _looks(first) != _looks(now),
}


async def show_job(ask: Ask) -> Response:
    query = ask.query(JobQuery)
    wanted = read_id(ask.request.path_params["job_id"])
    found = await find_job(ask, wanted)
    if query.wait:
        found = await _wait(ask, wanted, found, query)
    view = found.view
    if query.efficiency and view.terminal:
        view = await with_efficiency(ask, view, found.seen.picture.began)
    body = msgspec.json.encode(view)
    return Response(body, headers=seen_headers(found.seen), media_type=JSON)


async def list_parts(ask: Ask) -> Response:
    """Show what slurmctld lists of a job and what only the accounting still has of it."""
    found = await find_job(ask, read_id(ask.request.path_params["job_id"]))
    known = {part.job_id for part in found.parts}
    whole = JobId(read_id(found.parts[0].job_id).number)
    parts = found.parts
    if len(known) > 1 or found.parts[0].array or found.parts[0].het is not None:
        past = _recalled(ask, await recall(ask, whole, found.seen))
        parts += tuple(part for part in past if part.job_id not in known)
    answer = PartsAnswer(ask.cluster.name, found.seen.picture.as_of, parts)
    headers = seen_headers(found.seen)
    return Response(msgspec.json.encode(answer), headers=headers, media_type=JSON)


def _looks(view: JobView) -> tuple[StateView, str]:
    return view.state, view.nodes


def _how_far(view: JobView) -> tuple[int, bool]:
    """Of ended parts one that did not end well comes first."""
    order = ("pending", "suspended", "running", "unknown", "finished")
    return order.index(view.phase), view.outcome == "success"


async def _wait(ask: Ask, wanted: JobId, first: Found, query: JobQuery) -> Found:
    """Look again at each new picture; all who wait cost one reading."""
    is_reached, found = _UNTIL[query.until], first
    end = monotonic() + query.wait
    while not is_reached(first.view, found.view) and monotonic() < end:
        await anyio.sleep(min(ask.cluster.jobs.ttl_s, max(end - monotonic(), 0.0)))
        found = await find_job(ask, wanted)
    return found


async def find_job(ask: Ask, wanted: JobId) -> Found:
    """Show all parts of it; raises `NotThere`, be there none or another's."""
    mine = ask.principal.sees_only

    async def shown(users: frozenset[UserName]) -> frozenset[UserName]:
        return users if mine is None else users & mine

    found = await find(ask, wanted, shown)
    cluster, as_of = ask.cluster.name, found.seen.picture.as_of
    rows = (job_view(job, cluster, as_of) for job in found.rows)
    parts = (*rows, *(past_job_view(part, cluster) for part in found.past))
    if not parts:
        raise NotThere(f"there is no job {wanted}, or none that you may see")
    return Found(parts, found.seen)


def _recalled(ask: Ask, past: Collection[PastJob]) -> tuple[JobView, ...]:
    mine = ask.principal.sees_only
    return tuple(
        past_job_view(part, ask.cluster.name)
        for part in past
        if mine is None or part.last.user in mine
    )


async def with_efficiency(ask: Ask, view: JobView, since: float) -> JobView:
    """Add it where the accounting has heard of the end already."""
    job, lane = read_id(view.job_id), ask.site.crossing.accounting
    past = await ask.past.jobs.find(job, since, lane)
    ended = [part for part in past or () if _is_same_end(part, view)]
    if not ended:
        return view
    steps = await ask.past.steps.find(job, since, lane)
    return msgspec.structs.replace(view, efficiency=efficiency_view(ended[0], steps or ()))


def _is_same_end(past: PastJob, view: JobView) -> bool:
    return past.last.state.is_terminal and past.last.end == view.times.end
