"""Push on a site with a month of jobs: the day's first cycle, a later one, and one without news.

The floor of the first is the bare `sacct` over the same slices, which must be the month, cut.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import ceil

from benchmarks.cycles import Cost, first_cycle, next_cycle
from benchmarks.past import ZONE, PastSite, past_site
from benchmarks.proc import peak_megabytes
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.tools import Command
from waldur_slurm.agent.waldur.session import PAGE_SIZE
from waldur_slurm.model.period import Window

RATIO = 1.3
AGENT_MB = 100.0
SACCT_MB = 40.0
LATER_PROCESSES = 5
NEWEST_DAYS = 2
EDGES = re.compile(r"--(?:start|end)time=uts(\d+)")


class NotTheMonth(Exception):
    """The slices that the agent read are not the month, each part once."""


def measure_push(scale: Scale) -> Iterator[Row]:
    with past_site(scale) as past:
        say("the first push of all")
        with first_cycle(past.site, past.agent) as (daemon, told):
            yield from _first_of_all(past, told)
            runs = max(2, scale.runs // 2)
            say(f"{runs} first pushes of a day, and the bare commands")
            firsts: list[Cost] = []
            floors: list[float] = []
            for _ in range(runs):
                past.forget_past_days()
                firsts.append(next_cycle(past.site, daemon))
                check_tiles(_windows(firsts[-1]), past.month)
                floors.append(_floor(past, firsts[-1]))
            peak = peak_megabytes(daemon.process.pid)
            say(f"{scale.runs} later pushes")
            laters = [next_cycle(past.site, daemon) for _ in range(scale.runs)]
        yield from _first_of_day(past, firsts, floors, peak)
        yield from _later(past, laters)


def _first_of_all(past: PastSite, told: Cost) -> Iterator[Row]:
    name = f"push, first of all, {len(past.site_accounts)} accounts"
    yield Row(name=f"{name}: wall, telling all of it", unit="s", samples=[told.seconds])
    yield Row(name=f"{name}: requests", unit="", samples=[len(told.requests)])
    yield Row(
        name=f"{name}: amounts that differ from exact arithmetic",
        unit="",
        samples=[past.wrong_amounts()],
        bound=0,
    )


def _first_of_day(
    past: PastSite, firsts: Sequence[Cost], floors: Sequence[float], peak: float
) -> Iterator[Row]:
    jobs, month = len(past.history.jobs), past.jobs_in_month
    name = f"push, first of the day, {month} of {jobs} jobs"
    yield Row(
        name=f"{name}: wall against bare sacct",
        unit="s",
        samples=[cost.seconds for cost in firsts],
        floor=floors,
        bound=RATIO,
    )
    yield Row(
        name=f"{name}: Slurm processes",
        unit="",
        samples=[len(cost.commands) for cost in firsts],
    )
    yield Row(
        name=f"{name}: the agent's own CPU",
        unit="s",
        samples=[cost.cpu_seconds for cost in firsts],
    )
    yield Row(name=f"{name}: the agent's peak memory", unit="MB", samples=[peak], bound=AGENT_MB)
    yield Row(
        name=f"{name}: the largest sacct",
        unit="MB",
        samples=[max(call.megabytes for call in cost.calls_of_sacct) for cost in firsts],
        bound=SACCT_MB,
    )


def _later(past: PastSite, laters: Sequence[Cost]) -> Iterator[Row]:
    name = "push, later the same day"
    yield Row(
        name=f"{name}: Slurm processes",
        unit="",
        samples=[len(cost.commands) for cost in laters],
        bound=LATER_PROCESSES,
    )
    yield Row(
        name=f"{name}: days of records read",
        unit="",
        samples=[
            len({day.start.date() for window in _windows(cost) for day in window.days(ZONE)})
            for cost in laters
        ],
        bound=NEWEST_DAYS,
    )
    yield Row(name=f"{name}: wall", unit="s", samples=[cost.seconds for cost in laters])
    yield Row(
        name="idle push: writes to Waldur",
        unit="",
        samples=[len(cost.writes) for cost in laters],
        bound=0,
    )
    yield Row(
        name="idle push: requests",
        unit="",
        samples=[len(cost.requests) for cost in laters],
        bound=_pages(past),
    )


def check_tiles(windows: Sequence[Window], month: Window) -> None:
    """The month's end is when the agent looked, a moment after `NOW`."""
    ordered = sorted(windows)
    is_cut = all(one.end == two.start for one, two in pairwise(ordered))
    if not (is_cut and ordered[0].start == month.start and ordered[-1].end >= month.end):
        raise NotTheMonth(f"{month} was read as {ordered}")


def _floor(past: PastSite, cost: Cost) -> float:
    return past.site.bare_seconds(*(("sacct", *call.argv[1:]) for call in cost.calls_of_sacct))


def _windows(cost: Cost) -> list[Window]:
    return [_window(call) for call in cost.calls_of_sacct]


def _window(call: Command) -> Window:
    start, end = (
        datetime.fromtimestamp(int(found[1]), UTC)
        for found in filter(None, map(EDGES.fullmatch, call.argv))
    )
    return Window(start, end)


def _pages(past: PastSite) -> int:
    waldur = past.site.waldur
    lists = (
        waldur.resources(),
        waldur.offering_users(),
        waldur.usages(),
        waldur.user_usages(),
    )
    return 6 + sum(ceil(len(rows) / PAGE_SIZE) for rows in lists)
