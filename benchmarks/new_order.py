"""An order that comes between two cycles of a large site: how soon its people can work.

Rule: walls begin when Waldur has the order, and so hold the wait for the next look; none counts
unless Slurm, asked from outside, holds everybody.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.cycles import PATIENCE_S, Cost, first_cycle, told_within
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.site import Agent, Site
from benchmarks.teams import check_all_is_there, order_for_teams
from tests.e2e.program import Daemon

PROCESSES = 14
LOOKED_AFTER = "STATUS=last new order was looked after"
USABLE_S, WORK_S = 10.0, 5.0
QUIET_S = 12
MOST_LOOKS = 3


def measure_new_order(site: Site, scale: Scale) -> Iterator[Row]:
    name = f"a new order between cycles, {scale.allocations} allocations"
    say(f"{name}: {scale.runs} times, asked for as often as is usual, and every second")
    with first_cycle(site, _looking(site)) as (daemon, _):
        quiet = told_within(site, lambda: time.sleep(QUIET_S))
        usual = list(_served(site, daemon, scale, scale.allocations))
    with first_cycle(site, _looking(site, PULL_ORDER_INTERVAL="1")) as (daemon, _):
        eager = list(_served(site, daemon, scale, scale.allocations + scale.runs))
        first = scale.allocations + 2 * scale.runs
        known = list(_served(site, daemon, scale, first, _order_again))
    slowest = [max(cost.seconds for cost in usual)]
    yield _row(f"{name}: until its people are in Slurm, the slowest", "s", slowest, USABLE_S)
    walls = [cost.seconds for cost in eager]
    yield _row(f"{name}: the same where it is asked for every second", "s", walls, WORK_S)
    walls = [cost.seconds for cost in known]
    yield _row(f"{name}: the same of a project that has one already", "s", walls, WORK_S)
    yield _row(f"{name}: Slurm processes", "", [len(c.commands) for c in usual], PROCESSES)
    yield _row(f"{name}: requests", "", [len(c.requests) for c in usual])
    yield _row(f"no new order for {QUIET_S} s: Slurm processes", "", [len(quiet.commands)], 0)
    yield _row(f"no new order for {QUIET_S} s: requests", "", [len(quiet.requests)], MOST_LOOKS)


def _looking(site: Site, **changes: str) -> Agent:
    """Other measurements have no looks between their cycles."""
    agent = site.agent("pull")
    del agent.environ["PULL_ORDER_INTERVAL"]
    agent.environ.update(changes)
    return agent


def _order_of_a_new_customer(site: Site, number: int, users_each: int) -> None:
    """Slurm gets three accounts by it: for the customer, the project and the allocation."""
    order_for_teams(site, number, 1, users_each)


def _order_again(site: Site, _number: int, _users_each: int) -> None:
    project = site.waldur.resources()[-1]["project"]
    site.waldur.order_create(project, "more", {"cpu": 10})


def _served(
    site: Site,
    daemon: Daemon,
    scale: Scale,
    first: int,
    place: Callable[[Site, int, int], None] = _order_of_a_new_customer,
) -> Iterator[Cost]:
    for number in range(first, first + scale.runs):

        def order(number: int = number) -> None:
            place(site, number, scale.users_each)
            daemon.hears(LOOKED_AFTER, timeout=PATIENCE_S)

        yield told_within(site, order)
        check_all_is_there(site, number + 1, scale.users_each)


def _row(name: str, unit: str, samples: Sequence[float], bound: float | None = None) -> Row:
    return Row(name=name, unit=unit, samples=samples, bound=bound)
