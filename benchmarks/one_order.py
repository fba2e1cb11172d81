"""One new order on a site that is large already: how soon its account can be used, at what cost."""

from collections.abc import Iterator

from benchmarks.cycles import Cost, first_cycle, next_cycle
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.site import Site
from benchmarks.teams import check_all_is_there, order_for_teams, what_is_wrong
from tests.e2e.program import Daemon

PROCESSES = 12
CYCLES = 1
MOST_CYCLES = 5


def measure_one_order(site: Site, scale: Scale) -> list[Row]:
    """The order's own work is what its cycle starts beyond what an idle cycle does."""
    name = f"one new order on {scale.allocations} allocations"
    say(f"{name}: {scale.runs} times")
    orders: list[list[Cost]] = []
    with first_cycle(site, site.agent("pull")) as (daemon, _):
        idle = next_cycle(site, daemon)
        for number in range(scale.allocations, scale.allocations + scale.runs):
            order_for_teams(site, number, 1, scale.users_each)
            orders.append(list(_cycles_until_done(site, daemon, number + 1, scale.users_each)))
    return [
        Row(
            name=f"{name}: Slurm processes of its own",
            unit="",
            samples=[
                sum(len(cost.commands) - len(idle.commands) for cost in costs) for costs in orders
            ],
            bound=PROCESSES,
        ),
        Row(
            name=f"{name}: cycles until its people are in Slurm",
            unit="",
            samples=[len(costs) for costs in orders],
            bound=CYCLES,
        ),
        Row(
            name=f"{name}: wall",
            unit="s",
            samples=[sum(cost.seconds for cost in costs) for costs in orders],
        ),
        Row(
            name=f"{name}: requests",
            unit="",
            samples=[sum(len(cost.requests) for cost in costs) for costs in orders],
        ),
    ]


def _cycles_until_done(site: Site, daemon: Daemon, teams: int, users_each: int) -> Iterator[Cost]:
    for _ in range(MOST_CYCLES):
        yield next_cycle(site, daemon)
        if not what_is_wrong(site, teams, users_each):
            return
    check_all_is_there(site, teams, users_each)
