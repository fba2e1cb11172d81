"""An order that comes between two cycles of a large site: how soon its people can work.

Rule: nothing counts unless Slurm, asked from outside, holds everybody. Work begins with the first
question about orders that Waldur is asked after it has the order; people are in when the last
write to Slurm has ended.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.cycles import PATIENCE_S, Cost, first_cycle, told_within
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.site import TRES_FILE, Agent, Site
from benchmarks.teams import NotFilled, check_all_is_there, order_for_teams
from tests.e2e.program import Daemon
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, wanted_limits
from waldur_slurm.agent.tres_file import read_tres_file
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.slurm.accounting.grammar import script

PROCESSES = 10
LOOKED_AFTER = "STATUS=last new order was looked after"
USABLE_S, WORK_S, RATIO = 10.0, 5.0, 1.5
QUIET_S = 12
MOST_LOOKS = 3
ORDERS = "marketplace-orders/"


@dataclass(frozen=True)
class Served:
    """Seconds from the order, and from the look that found it, until its people were in Slurm."""

    until_usable: float
    work: float
    until_told: float
    cost: Cost


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
    say("the same lines typed by hand")
    bare = [_typed_seconds(site, scale.users_each, number) for number in range(scale.runs)]
    slowest = [max(each.until_usable for each in usual)]
    yield _row(f"{name}: until its people are in Slurm, the slowest", "s", slowest, USABLE_S)
    work = [each.work for each in (*usual, *eager)]
    yield _row(f"{name}: from the look that finds it until then", "s", work, WORK_S)
    beside = f"{name}: the same beside the bare writes"
    yield Row(name=beside, unit="s", samples=work, floor=bare, bound=RATIO)
    told = [each.until_told for each in eager]
    yield _row(f"{name}: until Waldur knows too, asked for every second", "s", told)
    told = [each.until_told for each in known]
    yield _row(f"{name}: the same of a project that has one already", "s", told, WORK_S)
    costs = [each.cost for each in usual]
    yield _row(f"{name}: Slurm processes", "", [len(c.commands) for c in costs], PROCESSES)
    yield _row(f"{name}: requests", "", [len(c.requests) for c in costs])
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
) -> Iterator[Served]:
    for number in range(first, first + scale.runs):
        moments: list[float] = []

        def order(number: int = number, moments: list[float] = moments) -> None:
            place(site, number, scale.users_each)
            moments.append(time.monotonic())
            moments.append(_looked_for(site))
            daemon.hears(LOOKED_AFTER, timeout=PATIENCE_S)

        cost = told_within(site, order)
        check_all_is_there(site, number + 1, scale.users_each)
        placed, looked = moments
        usable = max(each.ended for each in cost.commands if "--immediate" in each.argv)
        yield Served(usable - placed, usable - looked, cost.seconds, cost)


def _looked_for(site: Site) -> float:
    """When Waldur, which has the order, was asked for orders again."""
    asked = len(_questions(site))
    until = time.monotonic() + PATIENCE_S
    while len(_questions(site)) == asked:
        if time.monotonic() > until:
            raise NotFilled("Waldur was not asked for new orders")
        time.sleep(0.01)
    return time.monotonic()


def _questions(site: Site) -> list[str]:
    return [one.path for one in site.waldur.requests() if one.path.endswith(ORDERS)]


def _typed_seconds(site: Site, users_each: int, number: int) -> float:
    """What the writes of an order of a new customer take alone, as one would type them."""
    cluster = ClusterName(site.cluster.options.name)
    limits = wanted_limits(read_tres_file(TRES_FILE), {})
    if isinstance(limits, Unusable):
        raise TypeError(limits.reason)
    names = [AccountName(f"typed-{number}-{level}") for level in ("c", "p", "a")]
    parents = (ROOT, *names)
    accounts = [
        NewAccount(name, parent, f"typed {name}", parent, limits if name == names[-1] else {})
        for name, parent in zip(names, parents, strict=False)
    ]
    people = [UserName(f"typed{number}m{member}") for member in range(users_each)]
    return site.obeyed_seconds(
        "".join(script.accounts_to_add(cluster, accounts)),
        "".join(script.users_to_add(cluster, {names[-1]: people})),
    )


def _row(name: str, unit: str, samples: Sequence[float], bound: float | None = None) -> Row:
    return Row(name=name, unit=unit, samples=samples, bound=bound)
