"""All jobs in one state: of slurmctld's list, of the accounting, and of monitors beside them."""

from datetime import UTC, datetime

import msgspec
from starlette.responses import Response

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.errors import GatewayError, NotNow
from waldur_slurm.gateway.web.answers import JSON, seen_headers
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import stored
from waldur_slurm.gateway.web.native.monitors import shown_to, watching
from waldur_slurm.gateway.web.seeds.proxy_refusals import Wrong
from waldur_slurm.gateway.web.seeds.proxy_states import (
    ENDS,
    STATES,
    Row,
    live_row,
    merged,
    monitored_row,
    past_row,
)
from waldur_slurm.gateway.web.seeds.proxy_wire import written
from waldur_slurm.model.past import PastJob, PastQuery

MOST = 100_000


async def show_by_state(ask: Ask) -> Response:
    """Jobs, no steps; nothing is an empty list, and a silent Slurm is never that."""
    state: str = ask.request.path_params["state"]
    if state not in STATES:
        detail = f"expected one of {', '.join(sorted(STATES))}"
        raise Wrong("Invalid state key", detail, is_brief=True)
    seen, mine = await ask.see(ask.cluster.jobs), ask.principal.sees_only
    if seen.silence and state not in ENDS:
        raise NotNow(f"slurmctld does not answer: {seen.silence}")
    live = [
        live_row(job)
        for job in seen.picture.value.jobs
        if job.state.base == state and (mine is None or job.user in mine)
    ]
    rows = merged(live, await _past(ask, state), await _monitored(ask, state))
    body = await ask.site.crossing.bodies.run(lambda: _written(rows))
    return Response(body, headers=seen_headers(seen), media_type=JSON)


def _written(rows: list[Row]) -> bytes:
    return written({"jobs": [msgspec.structs.asdict(row) for row in rows]})


async def _past(ask: Ask, state: str) -> list[Row]:
    """Ask the accounting as far back as monitors are kept."""
    mine = ask.principal.sees_only
    if state not in ENDS or (mine is not None and not mine):
        return []
    now = datetime.now(UTC)
    query = PastQuery(
        since=now - ask.site.proxy.reach,
        until=now,
        users=frozenset(mine or ()),
        states=frozenset({state}),
    )
    history = ask.cluster.history

    def read() -> list[Row]:
        """A record that is not understood stops no other."""
        found = (job for job in history.read_jobs(query) if isinstance(job, PastJob))
        return [past_row(job) for job in found]

    same = f"proxy:{ask.cluster.name}:{state}:{ask.principal.visibility}"
    try:
        return await ask.site.questions.ask(read, same)
    except GatewayError:
        raise
    except ExpectedError as error:
        raise NotNow(f"the accounting does not answer: {error}") from error


async def _monitored(ask: Ask, state: str) -> list[Row]:
    """Of what ended Slurm may know no more; monitors are kept longer than jobs by some sites."""
    if state not in ENDS:
        return []
    wanted = shown_to(ask, state=state, cluster=ask.cluster.name)
    monitors = watching(ask).monitors
    found = await stored(ask, lambda: monitors.search(wanted, MOST))
    return [monitored_row(monitor) for _, monitor in found if monitor.job is not None]
