"""One job, wherever it is on its way: in the queue, in the accounting, or not known.

What left slurmctld's list has not ended for that: how it ended only the accounting says. While that
is silent the answer is "not now", never "there is none".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated, Any

import anyio
import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import NotNow, NotThere, WrongAsk
from waldur_slurm.gateway.picture.jobs import JobsNow
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.answers import JSON, seen_headers
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.history import asked
from waldur_slurm.gateway.web.native.past_views import past_job_view
from waldur_slurm.gateway.web.native.views import JobView, job_view
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.past import PastJob, PastQuery

LOOKED_BACK = timedelta(days=31)
"""How long after its end a job is found by its number alone."""

LONGEST_WAIT_S = 60


class JobQuery(msgspec.Struct, frozen=True):
    """`wait` seconds until the job is `terminal`, has `started`, or `change`s in any way."""

    wait: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)] = 0
    until: str = "terminal"


@dataclass(frozen=True, slots=True)
class Found:
    """A job as it is shown, with the headers that tell its age."""

    view: JobView
    headers: dict[str, str]


_UNTIL: dict[str, Callable[[JobView, JobView], bool]] = {
    "terminal": lambda _first, now: now.terminal,
    "started": lambda _first, now: now.phase != "pending",
    "change": lambda first, now: (first.state, first.nodes) != (now.state, now.nodes),
}


async def show_job(ask: Ask) -> Response:
    query = ask.query(JobQuery)
    if query.until not in _UNTIL:
        raise WrongAsk(f"until: expected one of {', '.join(_UNTIL)}")
    wanted = read_id(ask.request.path_params["job_id"])
    found = await _find(ask, wanted)
    if query.wait:
        found = await _wait(ask, wanted, found, query)
    body = msgspec.json.encode(found.view)
    return Response(body, headers=found.headers, media_type=JSON)


async def _wait(ask: Ask, wanted: JobId, first: Found, query: JobQuery) -> Found:
    """Look again at each new picture; all who wait cost one reading."""
    is_reached, found = _UNTIL[query.until], first
    end = monotonic() + query.wait
    while not is_reached(first.view, found.view) and monotonic() < end:
        await anyio.sleep(min(ask.cluster.jobs.ttl_s, max(end - monotonic(), 0.0)))
        found = await _find(ask, wanted)
    return found


async def _find(ask: Ask, wanted: JobId) -> Found:
    """Raises `NotThere` only of what a list younger than the question and the accounting lack.

    The accounting alone would do for no job: it hears of one seconds after it was handed in.
    """
    asked_at = monotonic()
    seen = await ask.see(ask.cluster.jobs)
    rows = seen.picture.value.find(wanted)
    if not rows:
        seen = await ask.see_after(ask.cluster.jobs, asked_at)
        rows = seen.picture.value.find(wanted)
    mine = ask.principal.sees_only
    shown = [job for job in rows if mine is None or job.user in mine]
    if shown:
        view = job_view(shown[0], ask.cluster.name, seen.picture.as_of)
        return Found(view, seen_headers(seen))
    if not rows:
        past = await _find_past(ask, wanted, seen)
        if past is not None and (mine is None or past.last.user in mine):
            return Found(past_job_view(past, ask.cluster.name), {})
    raise NotThere(f"there is no job {wanted}, or none that you may see")


async def _find_past(ask: Ask, wanted: JobId, seen: Seen[JobsNow]) -> PastJob | None:
    if seen.silence:
        raise NotNow(f"slurmctld does not answer, so job {wanted} may be there: {seen.silence}")
    history, now = ask.cluster.history, datetime.now(UTC)
    query = PastQuery(since=now - LOOKED_BACK, until=now, ids=frozenset({wanted}))

    def read() -> Sequence[Any]:
        return list(history.read_jobs(query))

    jobs = await asked(ask, read)
    return next((job for job in jobs if isinstance(job, PastJob)), None)
