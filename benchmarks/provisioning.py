"""First provisioning: many Create orders at once, against what the same costs by bare means.

The floor is one `sacctmgr load` of all that the agent made, into an empty Slurm of the same kind,
plus the requests that nobody can do without, eight at a time, to a copy of the same Waldur.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.bare_client import BareRequest, bare_seconds
from benchmarks.cycles import Cost, first_cycle, next_cycle
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from benchmarks.site import Site, twin_of
from benchmarks.teams import check_all_is_there, order_for_teams
from sandbox.waldur import Request

PROCESSES = 60
RATIO = 2.0
MANY = 1_000
"""Orders; with fewer, what a cycle does once, whatever their number, is most of it."""
FOUND = 200
ONE = re.compile(r"marketplace-(orders|provider-resources)/[0-9a-f-]{32,36}/")


def measure_provisioning(site: Site, scale: Scale) -> list[Row]:
    """Fill the site, which others go on measuring."""
    teams, each = scale.allocations, scale.users_each
    say(f"ordering {teams} allocations for {each} people each")
    order_for_teams(site, 0, teams, each)
    with twin_of(site) as twin:
        say("the agent carries out the orders")
        agent = site.agent("pull")
        with first_cycle(site, agent) as (daemon, cost):
            check_all_is_there(site, teams, each)
            second = next_cycle(site, daemon)
        say("the same by bare means")
        load = _load_seconds(site, twin)
        requests = bare_seconds(twin, *_unavoidable(site, cost.requests))
    name = f"first provisioning, {teams} x {each}"
    return [
        Row(
            name=f"{name}: wall against one load and bare requests",
            unit="s",
            samples=[cost.seconds],
            floor=[load + requests],
            bound=RATIO if teams >= MANY else None,
        ),
        Row(name=f"{name}: of the floor, one sacctmgr load", unit="s", samples=[load]),
        Row(name=f"{name}: of the floor, bare requests", unit="s", samples=[requests]),
        Row(
            name=f"{name}: Slurm processes",
            unit="",
            samples=[len(cost.commands)],
            bound=PROCESSES,
        ),
        Row(name=f"{name}: requests", unit="", samples=[len(cost.requests)]),
        Row(name=f"{name}: the agent's own CPU", unit="s", samples=[cost.cpu_seconds]),
        Row(
            name=f"{name}: writes in the cycle after",
            unit="",
            samples=[len(second.writes) + _loads(second)],
            bound=0,
        ),
    ]


def _load_seconds(site: Site, twin: Site) -> float:
    """Load into the twin what Slurm says that the site has."""
    content = site.directory / "content"
    site.cluster.must("sacctmgr", "dump", site.cluster.options.name, f"file={content}", timeout=300)
    seconds = twin.bare_seconds(("sacctmgr", "--immediate", "load", f"file={content}"))
    check_all_is_loaded(site, twin)
    return seconds


def check_all_is_loaded(site: Site, twin: Site) -> None:
    listing = ("sacctmgr", "-nP", "show", "assoc", "format=account,user,parentname,grptresmins")
    wanted, found = (
        sorted(each.cluster.must(*listing, timeout=120).splitlines()) for each in (site, twin)
    )
    if wanted != found:
        raise ValueError(f"the bare load made {len(found)} associations of {len(wanted)}")


def _unavoidable(site: Site, asked: Iterable[Request]) -> Iterator[Sequence[BareRequest]]:
    """Every page of every list once, and three words to each order and its resource."""
    pages = dict.fromkeys(
        f"{one.path}?{one.query}"
        for one in asked
        if one.method == "GET" and one.status == FOUND and not ONE.match(one.path)
    )
    yield [BareRequest("GET", page) for page in pages]
    orders = site.waldur.orders()
    names = {row["uuid"]: row["backend_id"] for row in site.waldur.resources()}
    yield [
        BareRequest("POST", f"marketplace-orders/{order['uuid']}/approve_by_provider/", {})
        for order in orders
    ]
    yield [
        BareRequest(
            "POST",
            f"marketplace-provider-resources/{order['resource']}/set_backend_id/",
            {"backend_id": names[order["resource"]]},
        )
        for order in orders
    ]
    yield [
        BareRequest("POST", f"marketplace-orders/{order['uuid']}/set_state_done/", {})
        for order in orders
    ]


def _loads(cost: Cost) -> int:
    return sum("show" not in command.argv for command in cost.commands)
