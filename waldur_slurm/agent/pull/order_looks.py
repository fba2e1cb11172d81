"""Between two cycles: orders alone are asked for, and what is new of them is served at once.

While nothing is new Slurm is not asked, and Waldur only for its orders. What is served goes the way
of every cycle, in a world that holds nothing else: it gives, and takes nothing away.
"""

from collections.abc import Collection

from waldur_slurm.agent.model.marketplace import Order, ResourceUuid, UserUuid
from waldur_slurm.agent.pull.cycle import Ended, PullCycle
from waldur_slurm.agent.pull.memory.awaited import Awaited, arrived, still_awaited
from waldur_slurm.agent.pull.news import CycleReport
from waldur_slurm.agent.pull.sight import Part
from waldur_slurm.agent.pull.world.policy import NO_CONSENT, Consent
from waldur_slurm.agent.pull.world.touched import (
    Background,
    Seen,
    background_of,
    newly_ordered,
    seen_of,
)
from waldur_slurm.agent.report.look import Look
from waldur_slurm.errors import UnclearPart

_MOST_AT_ONCE = 20
"""So many new orders and more are served by a cycle, whose lists come by the page."""


class OrderLooks:
    """Remembers from a cycle, and from one look to the next, what is not new any more."""

    def __init__(self, cycle: PullCycle) -> None:
        self._cycle = cycle
        self._seen: Seen = frozenset()
        self._background = Background()
        self._awaited: tuple[Awaited, ...] = ()

    def run(self, consent: Consent = NO_CONSENT) -> CycleReport:
        """A cycle that sees everything, and by that all that looks need to know."""
        ended = self._cycle.serve(self._cycle.everything, consent)
        self._seen = seen_of(ended.world.waldur.orders)
        self._background = background_of(ended.world)
        self._await_people(ended)
        return ended.report

    def look(self) -> Look:
        orders = self._cycle.marketplace.read_orders()
        new = newly_ordered(orders, self._seen, self._cycle.policy)
        if len(new) > _MOST_AT_ONCE:
            return Look(is_cycle_wanted=True)
        new |= self._where_people_arrived()
        if not new:
            self._seen = seen_of(orders)
            return Look()
        return self._serve(new, orders)

    def _serve(self, resources: Collection[ResourceUuid], orders: Collection[Order]) -> Look:
        cycle = self._cycle
        part = Part(
            accounting=cycle.accounting,
            marketplace=cycle.marketplace,
            policy=cycle.policy,
            resources=resources,
            orders=orders,
            background=self._background,
        )
        try:
            ended = cycle.serve(part, NO_CONSENT)
        except UnclearPart:
            return Look(is_cycle_wanted=True)
        self._seen = seen_of([*orders, *ended.world.waldur.orders])
        self._await_people(ended)
        return Look(ended.report)

    def _where_people_arrived(self) -> set[ResourceUuid]:
        now = self._cycle.clock()
        self._awaited = tuple(each for each in self._awaited if now < each.until)
        if not self._awaited:
            return set()
        marketplace = self._cycle.marketplace
        teams = marketplace.read_teams([each.resource for each in self._awaited])
        people = frozenset[UserUuid]().union(*teams.values())
        return arrived(self._awaited, teams, marketplace.read_offering_users_of(people))

    def _await_people(self, ended: Ended) -> None:
        world = ended.world
        now = self._cycle.clock()
        self._awaited = still_awaited(self._awaited, ended.made, world.waldur, now)
