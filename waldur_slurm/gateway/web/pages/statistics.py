"""How slurmctld is doing by its own count, and how the gateway is."""

from collections.abc import Iterator
from time import monotonic
from typing import NamedTuple

from starlette.responses import Response

from waldur_slurm import __version__
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.cluster_views import StatisticsView, statistics_view
from waldur_slurm.gateway.web.pages.rendering import page, shown

MOST_ROWS = 15


class Kept(NamedTuple):
    """One picture that the gateway keeps: how old, what it costs, how often it was taken."""

    thing: str
    age_s: float | None
    took_s: float | None
    readings: int
    silence: str


@page
async def show_statistics(ask: Ask) -> Response:
    said, told = "", None
    try:
        seen = await ask.see(ask.cluster.statistics)
        told, said = statistics_view(seen.picture.value), seen.silence
    except NotNow as silence:
        said = str(silence)
    site = ask.site
    return await shown(
        ask,
        "statistics.html",
        title="Statistics",
        told=told,
        said=said,
        schedules=_schedules(told),
        messages=sorted(told.by_message, key=lambda each: -each.total_us)[:MOST_ROWS]
        if told
        else (),
        users=sorted(told.by_user, key=lambda each: -each.total_us)[:MOST_ROWS] if told else (),
        kept=tuple(_kept(ask)),
        lanes=site.crossing.lanes,
        bodies_mib=site.bodies.size / 2**20,
        open_files=site.open_files.open,
        version=__version__,
    )


def _schedules(told: StatisticsView | None) -> tuple[tuple[str, list[tuple[str, int]]], ...]:
    if told is None:
        return ()
    return (
        ("Counters", list(told.counters.items())),
        ("Main schedule", list(told.main_schedule.items())),
        ("Backfill", list(told.backfill.items())),
    )


def _kept(ask: Ask) -> Iterator[Kept]:
    for keeper in ask.cluster.all:
        last = keeper.last
        age_s = monotonic() - last.began if last else None
        yield Kept(
            keeper.thing, age_s, last.took_s if last else None, keeper.readings, keeper.silence
        )
