"""What must hold after every step of a walk, told without any of the agent's own code."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product

from tests.trust.walks.site import (
    ADMIN,
    GPU,
    GPU_MINUTES,
    MOST_REMOVALS,
    NODE,
    UTC_ZONE,
    CycleEnd,
    Held,
    WalkSite,
)
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Order,
    OrderState,
    OrderType,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month

Holds = tuple[int | None, int | None]
A_DAY = timedelta(hours=24)
CENT = Decimal("0.01")


@dataclass
class Expected:
    """What the walk itself knows of an allocation, because it is who did it."""

    account: AccountName
    gpu_minutes: int
    hold: Holds = (None, None)
    """As an administrator left it."""
    parent: AccountName | None = None
    """Where an administrator moved it."""
    has_admin: bool = False
    nodes: int | None = None
    """A limit that an administrator set on what the TRES file does not name."""


@dataclass
class Model:
    """The memory of a walk."""

    site: WalkSite
    allocations: dict[ResourceUuid, Expected] = field(default_factory=dict)
    foreign: dict[AccountName, Account] = field(default_factory=dict)
    removals: list[tuple[datetime, str, str]] = field(default_factory=list)
    """What was taken away without anybody's word, as far as the agent can remember."""
    forgot: set[tuple[ResourceUuid, str]] = field(default_factory=set)
    """What the agent cannot know any more, because its journal was lost meanwhile."""
    told_since: Month | None = None
    """The month in which all was told, since the journal was last lost."""
    done: int = 0
    _usages: Held = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site.on_done = self.see_done

    # Orders

    def see_done(self, order: Order) -> None:
        """At the moment when Waldur hears that an order is done, it is."""
        assert order.resource is not None
        self.done += 1
        marked = self.site.marked(order.resource)
        if order.type is OrderType.TERMINATE:
            assert marked == [], f"{order} is done, and its account is there"
            self.assert_last_usage(order.resource)
            self.allocations.pop(order.resource, None)
            return
        (account,) = marked
        ordered = int(str(order.limits[self.site.gpu])) * GPU_MINUTES
        assert account.limits[GPU] == ordered, f"{order} is done, and its limit is not set"
        assert account.parent is not None
        assert self.site.resource(order.resource).backend_id == account.name
        if order.type is OrderType.CREATE:
            assert account.name not in {each.account for each in self.allocations.values()}
            self.allocations[order.resource] = Expected(account.name, ordered)
        self.allocations[order.resource].gpu_minutes = ordered

    def assert_no_order_erred(self) -> None:
        """Nothing that happens in a walk is a customer's fault."""
        bad = (OrderState.ERRED, OrderState.REJECTED)
        assert [order for order in self.site.all_orders() if order.state in bad] == []
        erred = (r for r in self.site.all_resources() if r.state is ResourceState.ERRED)
        assert list(erred) == []

    # Accounts

    def assert_foreign_untouched(self) -> None:
        accounts = self.site.accounts()
        for name, before in self.foreign.items():
            assert accounts[name] == before

    def assert_one_account_each(self) -> None:
        marks = Counter(a.description.split(" ")[0] for a in self.site.accounts().values())
        for mark, number in marks.items():
            assert number == 1 or "/resource/" not in mark

    def assert_administrators_say(self) -> None:
        """What an administrator did to an account of the agent's stays done."""
        accounts = self.site.accounts()
        for uuid, expected in self.allocations.items():
            account = accounts.get(expected.account)
            if account is None or self.is_ending(uuid):
                continue
            if expected.has_admin:
                assert ADMIN in account.users
            assert account.limits.get(NODE) == expected.nodes
            if expected.parent is not None:
                assert account.parent == expected.parent

    def is_ending(self, resource: ResourceUuid) -> bool:
        return any(
            order.resource == resource and order.type is OrderType.TERMINATE
            for order in self.site.open_orders()
        )

    # The brake

    def kept_accounts(self) -> dict[AccountName, Account]:
        """Accounts as they are, without those that an order is about to end."""
        ending = {each.account for uuid, each in self.allocations.items() if self.is_ending(uuid)}
        accounts = self.site.accounts().items()
        return {name: account for name, account in accounts if name not in ending}

    def see_pull(self, kept: Mapping[AccountName, Account]) -> None:
        """Remember what a cycle took away that no order asked for."""
        now = self.site.now
        taken = taken_away(kept, self.site.accounts())
        self.removals += [(now, kind, name) for kind, name in taken]

    def forget_what_the_journal_held(self) -> None:
        self.removals.clear()
        self.told_since = None
        accounts = self.site.accounts()
        for uuid, expected in self.allocations.items():
            account = accounts.get(expected.account)
            if account is None:
                continue
            self.forgot |= {(uuid, user) for user in account.users}
            held = [a.user for a in account.associations if a.max_submit_jobs == 0]
            self.forgot |= {(uuid, f"hold of {user}") for user in held}
            if (account.grp_jobs, account.grp_submit_jobs) == (0, 0):
                self.forgot.add((uuid, "hold"))
            if account.default_qos == "low":
                self.forgot.add((uuid, "qos"))

    def assert_within_the_brake(self) -> None:
        lately: dict[str, set[str]] = defaultdict(set)
        for at, kind, name in self.removals:
            if self.site.now - at < A_DAY:
                lately[kind].add(name)
        for kind, names in lately.items():
            assert len(names) <= MOST_REMOVALS, f"{kind} within a day: {sorted(names)}"

    # Usage

    def assert_usage_is_true(self) -> None:
        """Waldur never holds more than was used, and what it holds never falls."""
        held = self.site.held()
        for key, amount in held.items():
            assert amount <= self.used(*key), key
            assert amount >= self._usages.get(key, Decimal(0)), f"{key} fell"
        for key, amount in self._usages.items():
            may_be_corrected = self.site.dialect is Dialect.TODAY and key[1] == self.site.gpu
            if key[2] < self.site.month and not may_be_corrected:
                assert held[key] == amount, f"{key} is closed"
        self._usages = held

    def used(self, resource: ResourceUuid, component: str, month: Month) -> Decimal:
        """Exactly, in Waldur's units, of all jobs in the resource's account."""
        name = self.site.resource(resource).backend_id
        (sold,) = (each for each in self.site.components if each.type == component)
        window = month.window(UTC_ZONE)
        seconds = 0
        for job in self.site.jobs:
            if job.account == name and job.start is not None:
                start = max(job.start, window.start)
                end = min(job.end or self.site.now, self.site.now, window.end)
                length = max(0, int((end - start).total_seconds()))
                seconds += job.allocated.get(sold.tres, 0) * length
        return in_units(sold, seconds)

    def assert_last_usage(self, resource: ResourceUuid) -> None:
        month = self.site.month
        for sold in self.site.components:
            used = self.used(resource, sold.type, month)
            assert self._held(resource, sold, month) == used, "the last usage is lost"

    # At the end

    def assert_agreement(self) -> None:
        """Both sides say the same, and it is what customers and administrators wanted."""
        assert self.site.open_orders() == []
        live = {r.uuid: r for r in self.site.live_resources()}
        assert live.keys() == self.allocations.keys()
        for uuid, resource in live.items():
            self._assert_allocation(resource, self.allocations[uuid])
        held_by_nobody = [
            account.name
            for account in self.site.accounts().values()
            if f"/resource/{self.site.offering}/" in account.description
            and account.name not in {each.account for each in self.allocations.values()}
        ]
        assert held_by_nobody == []

    def _assert_allocation(self, resource: Resource, expected: Expected) -> None:
        (account,) = self.site.marked(resource.uuid)
        assert resource.state is ResourceState.OK
        assert resource.backend_id == account.name == expected.account
        assert account.limits[GPU] == expected.gpu_minutes
        if expected.gpu_minutes % GPU_MINUTES == 0:
            assert resource.limits[self.site.gpu] == expected.gpu_minutes // GPU_MINUTES
        extra = account.users - self.wanted_people(resource) - {ADMIN}
        gone = extra - self._waiting(resource, extra)
        assert {user for user in gone if (resource.uuid, user) not in self.forgot} == set()
        assert account.users >= self.wanted_people(resource)
        for association in account.associations:
            user, hold = association.user, association.max_submit_jobs
            is_forgotten = user in extra and (resource.uuid, user) in self.forgot
            if (resource.uuid, f"hold of {user}") not in self.forgot and not is_forgotten:
                assert hold == (0 if user in extra - gone else None)
        if resource.is_paused:
            assert (account.grp_jobs, account.grp_submit_jobs) == (0, 0)
        elif (resource.uuid, "hold") not in self.forgot:
            assert (account.grp_jobs, account.grp_submit_jobs) == expected.hold
        if resource.is_downscaled or (resource.uuid, "qos") not in self.forgot:
            assert account.default_qos == ("low" if resource.is_downscaled else "")
        shown = self.site.shown_people(resource.uuid)
        assert shown is None or shown == account.users

    def wanted_people(self, resource: Resource) -> frozenset[UserName]:
        return frozenset() if resource.is_restricted else self.site.wanted_people(resource)

    def _waiting(self, resource: Resource, people: Set[UserName]) -> Set[UserName]:
        """Of the people who may not work, those who are in the team, as far as one can tell."""
        team = self.site.team_names(resource)
        return people if "" in team else people & team

    def see_push(self, ending: CycleEnd) -> None:
        self.assert_usage_is_true()
        if ending.is_whole and self.told_since is None:
            self.told_since = self.site.month

    def assert_all_usage_told(self) -> None:
        """The running month to the cent; what a closed one lacks is owed, and says so."""
        running = self.site.month
        month = max(self.told_since or running, running.preceding().preceding())
        owed = {(each.month, each.resource, each.component): each for each in self.site.owed()}
        while month <= running:
            for uuid, sold in product(self.allocations, self.site.components):
                amount, used = self._held(uuid, sold, month), self.used(uuid, sold.type, month)
                debt = owed.pop((month, uuid, sold.type), None)
                if debt is None:
                    assert amount == used, f"{sold.type} of {month}"
                else:
                    assert month < running
                    assert (debt.held, debt.measured) == (amount, used)
            month = month.following()

    def _held(self, resource: ResourceUuid, sold: Component, month: Month) -> Decimal:
        return self.site.held().get((resource, sold.type, month), Decimal(0))


def taken_away(
    before: Mapping[AccountName, Account], after: Mapping[AccountName, Account]
) -> Iterator[tuple[str, str]]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield "accounts", name
            continue
        held_before = {a.user for a in old.associations if a.max_submit_jobs == 0}
        held_now = {a.user for a in new.associations if a.max_submit_jobs == 0}
        for user in (old.users - new.users) | (held_now - held_before):
            yield "people", f"{name}/{user}"
        is_held = new.grp_submit_jobs == 0 and old.grp_submit_jobs != 0
        if is_held or (new.default_qos == "low" and old.default_qos != "low"):
            yield "holds", name
        if any(amount < old.limits.get(tres, amount) for tres, amount in new.limits.items()):
            yield "limits", name


def in_units(component: Component, tres_seconds: int) -> Decimal:
    exact = Decimal(tres_seconds) / 60 / component.unit_factor
    return exact.quantize(CENT, ROUND_HALF_UP)
