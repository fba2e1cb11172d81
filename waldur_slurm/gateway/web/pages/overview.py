"""The first page: how full the cluster is, what its jobs do, and whether Slurm answers."""

from starlette.responses import Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.wanted import JobsWanted, select
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.cluster import cluster_view
from waldur_slurm.gateway.web.pages.figures import (
    MachineFigures,
    QueueFigures,
    machine_figures,
    queue_figures,
)
from waldur_slurm.gateway.web.pages.rendering import page, shown


@page
async def show_overview(ask: Ask) -> Response:
    """Show what there is: where Slurm is silent about one half, the other stands."""
    cluster = await cluster_view(ask, ask.cluster)
    machine, machine_said, age_s = await _machine(ask)
    queue, queue_said = await _queue(ask)
    return await shown(
        ask,
        "overview.html",
        title="Overview",
        facts=cluster,
        machine=machine,
        queue=queue,
        silences=[said for said in (machine_said, queue_said) if said],
        age_s=age_s,
        sees_all=ask.principal.sees_all,
    )


async def _machine(ask: Ask) -> tuple[MachineFigures | None, str, float | None]:
    try:
        seen = await ask.see(ask.cluster.nodes)
    except NotNow as silence:
        return None, str(silence), None
    return machine_figures(seen.picture.value), seen.silence, seen.age_s


async def _queue(ask: Ask) -> tuple[QueueFigures | None, str]:
    """Count those jobs that he may see."""
    if not isinstance(decide(ask.principal, Scope.JOBS_READ), Yes):
        return None, ""
    try:
        seen = await ask.see(ask.cluster.jobs)
    except NotNow as silence:
        return None, str(silence)
    mine = ask.principal.sees_only

    def count() -> QueueFigures:
        return queue_figures(select(seen.picture.value, JobsWanted(), mine))

    return await ask.site.crossing.bodies.run(count), seen.silence
