"""A pull cycle that finds nothing to do: what it costs beside the bare listings it needs.

Rule: the listings are timed in turn with the cycles, so that both meet the same machine.
"""

from dataclasses import dataclass
from math import ceil

from benchmarks.cycles import Cost, first_cycle, next_cycle
from benchmarks.daemon import bare_time_to_first_request
from benchmarks.proc import peak_megabytes
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.site import Site
from waldur_slurm.agent.waldur.session import PAGE_SIZE
from waldur_slurm.model.names import ClusterName
from waldur_slurm.slurm.accounting.grammar.commands import show_accounts, show_associations

PROCESSES = 3
RATIO = 1.3
CPU_RATIO = 4.0
"""Of an interpreter that imports the same libraries and asks once."""
PEAK_MB = 150.0
FIXED = (
    *("orders to carry out", "orders under way", "the offering", "its provider"),
    *("accounts of services", "accounts of courses"),
)


class NotIdle(Exception):
    """A cycle that was to find nothing to do wrote something."""


@dataclass(frozen=True)
class Idling:
    """Cycles on one site, and the bare listings in turn with them."""

    name: str
    costs: list[Cost]
    floors: list[float]
    peak_megabytes: float
    pages: int

    @property
    def walls(self) -> list[float]:
        return [cost.seconds for cost in self.costs]

    @property
    def cpu(self) -> list[float]:
        return [cost.cpu_seconds for cost in self.costs]


def idle(site: Site, allocations: int, users_each: int, runs: int) -> Idling:
    name = f"idle pull, {allocations} x {users_each}"
    say(f"{name}: {runs} cycles, and the bare listings")
    costs, floors = [], []
    with first_cycle(site, site.agent("pull")) as (daemon, _):
        for _ in range(runs):
            floors.append(site.bare_seconds(*listings(site)))
            costs.append(check_idle(next_cycle(site, daemon)))
        peak = peak_megabytes(daemon.process.pid)
    memberships = allocations * users_each
    paged = (allocations, memberships, memberships)  # resources, memberships, offering users
    pages = sum(ceil(many / PAGE_SIZE) for many in paged)
    return Idling(name, costs, floors, peak, pages)


def measure_idle_pull(site: Site, allocations: int, users_each: int, runs: int) -> list[Row]:
    idling = idle(site, allocations, users_each, runs)
    name = idling.name
    return [
        Row(
            name=f"{name}: wall against bare sacctmgr",
            unit="s",
            samples=idling.walls,
            floor=idling.floors,
            bound=RATIO,
        ),
        *_counted(idling),
        Row(
            name=f"{name}: the agent's own CPU against a bare start's",
            unit="s",
            samples=idling.cpu,
            floor=[bare_time_to_first_request()[1] for _ in range(runs)],
            bound=CPU_RATIO,
        ),
    ]


BOUND_BY_SLURM = (
    "Slurm's two listings alone grow more than the site does, and a cycle can do without neither: a"
    " site that large is bound by slurmdbd, whoever asks"
)


def compare_idle_pulls(small: Idling, large: Idling, times: float) -> list[Row]:
    """Linear or better: the bound is how many times larger the one site is than the other."""
    name = large.name
    return [
        Row(
            name=f"{name}: wall against {small.name.removeprefix('idle pull, ')}",
            unit="s",
            samples=large.walls,
            floor=small.walls,
            bound=times,
            reason=BOUND_BY_SLURM,
        ),
        Row(
            name=f"{name}: the agent's own CPU against the same",
            unit="s",
            samples=large.cpu,
            floor=small.cpu,
            bound=times,
        ),
        Row(
            name=f"{name}: wall against bare sacctmgr",
            unit="s",
            samples=large.walls,
            floor=large.floors,
        ),
        Row(
            name=f"{name}: the bare listings against those of the small site",
            unit="s",
            samples=large.floors,
            floor=small.floors,
        ),
        *_counted(large),
    ]


def _counted(idling: Idling) -> list[Row]:
    name = idling.name
    return [
        Row(
            name=f"{name}: Slurm processes",
            unit="",
            samples=[len(cost.commands) for cost in idling.costs],
            bound=PROCESSES,
        ),
        Row(
            name=f"{name}: requests",
            unit="",
            samples=[len(cost.requests) for cost in idling.costs],
            bound=len(FIXED) + idling.pages,
        ),
        Row(
            name=f"{name}: the agent's peak memory",
            unit="MB",
            samples=[idling.peak_megabytes],
            bound=PEAK_MB,
        ),
    ]


def listings(site: Site) -> tuple[tuple[str, ...], ...]:
    """The two that no cycle can do without."""
    cluster = ClusterName(site.cluster.options.name)
    return (show_associations(cluster), show_accounts())


def check_idle(cost: Cost) -> Cost:
    changes = [command for command in cost.commands if "show" not in command.argv]
    if cost.writes or changes:
        raise NotIdle(f"{len(cost.writes)} requests, first {cost.writes[:1]}; {changes[:1]}")
    return cost
