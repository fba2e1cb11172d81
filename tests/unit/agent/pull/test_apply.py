"""Steps are carried out many at once, each failure alone; silence concludes nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.pull import WALDUR_ACCOUNT, Site, new_site, served
from tests.fakes.pull_sites import PoisonedSlurm, many_orders
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
)
from waldur_slurm.errors import AccountingDown, TransportError
from waldur_slurm.model.accounts import Account, Association, NewAccount, Snapshot
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting, Outcome
from waldur_slurm.telemetry.events import Level


@pytest.fixture
def site() -> Site:
    return new_site()


def test_who_cannot_be_given_another_default_account_is_not_removed(site: Site) -> None:
    first = served(site, "ann", "bob")
    second = served(site)
    ann = next(u for u, name in site.waldur.usernames.items() if name == "ann")
    site.waldur.members[second.project.uuid].add(ann)
    site.settle()
    site.waldur.remove_member(first.project, ann)
    site.slurm.calls.clear()
    site.slurm.fail_next(refused("no"), on="set_default_account")

    site.run()
    site.run()

    assert site.slurm.calls["remove_users"] == 0
    assert "ann" in site.account_of(first.uuid).users


class NoHomes:
    """Slurm whose helper that makes homes is missing, or hangs."""

    def __init__(self, slurm: Accounting) -> None:
        self._slurm = slurm

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def make_home(self, user: UserName) -> Outcome:
        raise TransportError(f"mkhomedir_helper {user}: no such file")


def test_a_helper_that_makes_no_homes_stops_nothing_else(site: Site) -> None:
    site.change_policy(create_homes=True)
    site.wrap_slurm = NoHomes  # type: ignore[assignment]  # a port by __getattr__
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})

    site.run()
    site.run()
    other = site.waldur.place_create(project, "other", {"gpu": 1})
    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert site.waldur.orders[other.uuid].state is OrderState.DONE


class Meanwhile:
    """Slurm in which an administrator does something between the plan and the removal."""

    def __init__(self, slurm: Accounting, change: Callable[[], None]) -> None:
        self._slurm = slurm
        self._change = change

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def read_accounts(self, names: list[AccountName]) -> Snapshot:
        self._change()
        return self._slurm.read_accounts(names)


def under(site: Site, name: AccountName) -> None:
    site.slurm.put(Account(AccountName("side"), "an admin's", "x", parent=name))


def marked_by_another(site: Site, name: AccountName) -> None:
    account = site.accounts()[name]
    theirs = account.description.replace(site.waldur.offering.uuid, "9" * 32)
    site.slurm.put(replace(account, description=theirs))


def unmarked(site: Site, name: AccountName) -> None:
    site.slurm.put(replace(site.accounts()[name], description="mine now"))


def peopled(site: Site, name: AccountName) -> None:
    by_hand = Association(UserName("eve"))
    site.slurm.put(replace(site.accounts()[name], associations=(by_hand,)))


@pytest.mark.parametrize("change", [under, marked_by_another, unmarked, peopled])
def test_what_came_to_be_since_the_plan_keeps_the_account(
    site: Site, change: Callable[[Site, AccountName], None]
) -> None:
    resource = served(site)
    name = site.account_of(resource.uuid).name
    order = site.waldur.place_terminate(resource.uuid)
    site.wrap_slurm = lambda slurm: Meanwhile(slurm, lambda: change(site, name))  # type: ignore[assignment, return-value]  # a port by __getattr__

    site.run()

    assert name in site.accounts()
    assert site.slurm.calls["remove_accounts"] == 0
    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING


def states(site: Site) -> set[OrderState]:
    return {order.state for order in site.waldur.orders.values()}


def test_a_thousand_orders_take_a_handful_of_calls(site: Site) -> None:
    projects = [site.waldur.make_project(f"P{n}") for n in range(20)]
    for number, project in enumerate(projects):
        site.waldur.add_member(project, f"user{number}")
        for name in range(50):
            site.waldur.place_create(project, f"a{number}-{name}", {"gpu": name})

    site.run()
    site.run()

    assert states(site) == {OrderState.DONE}
    assert sum(len(account.users) for account in site.accounts().values()) == 1000 + 1
    assert sum(site.slurm.calls.values()) < 20


def test_a_poisoned_account_does_not_delay_its_neighbours(site: Site) -> None:
    *healthy, poisoned = many_orders(site, 40, poison="poison")
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__

    report = site.run()

    assert {site.waldur.orders[order.uuid].state for order in healthy} == {OrderState.DONE}
    assert site.waldur.orders[poisoned.uuid].state is OrderState.EXECUTING
    assert [failure.step.order for failure in report.failures] == [poisoned.uuid]
    assert [e.level for e in site.events if e.name == "step.failed"] == [Level.ERROR]


class StumblingSlurm(PoisonedSlurm):
    """Does what is healthy of a batch before it refuses the poisoned, as it does for Operators."""

    def add_accounts(self, accounts: list[NewAccount]) -> Outcome:
        healthy = [account for account in accounts if self._poison not in account.name]
        self._slurm.add_accounts(healthy)
        return super().add_accounts(accounts)


def test_what_was_made_before_a_neighbour_was_refused_is_told(site: Site) -> None:
    *healthy, _ = many_orders(site, 5, poison="poison")
    site.wrap_slurm = lambda slurm: StumblingSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__

    site.run()

    assert {site.waldur.orders[order.uuid].state for order in healthy} == {OrderState.DONE}
    added = [event for event in site.events if event.name == "account.added"]
    assert len(added) == len(site.accounts().keys() - {ROOT, WALDUR_ACCOUNT})


def test_a_poisoned_user_does_not_delay_the_team_or_the_order(site: Site) -> None:
    project = site.waldur.make_project()
    for user in ("ann", "poison", "bob"):
        site.waldur.add_member(project, user)
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__

    site.run()
    site.run()

    assert site.account_of(order.resource).users == {"ann", "bob"}
    assert states(site) == {OrderState.DONE}


@pytest.mark.parametrize("dialect", list(Dialect))
def test_when_slurm_is_silent_nothing_is_concluded(dialect: Dialect) -> None:
    site = new_site(dialect)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    site.slurm.go_down()
    written = list(site.waldur.writes)

    with pytest.raises(AccountingDown):
        site.run()

    assert site.waldur.writes == written
    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    site.slurm.come_back()
    site.settle()
    assert states(site) == {OrderState.DONE}


@pytest.mark.parametrize("method", ["add_accounts", "add_users", "read_snapshot", "set_limits"])
def test_slurm_going_silent_in_the_middle_errs_nothing(site: Site, method: str) -> None:
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.slurm.fail_next(TransportError("timed out"), on=method)

    for _ in range(2):
        try:
            site.run()
        except TransportError:
            assert site.waldur.orders[order.uuid].state is not OrderState.ERRED
    site.settle()

    assert states(site) == {OrderState.DONE}


def test_when_it_is_told_to_stop_it_stops_between_two_calls(site: Site) -> None:
    many_orders(site, 3)
    cycle = site.cycle()
    cycle.is_stopping = lambda: bool(site.waldur.calls["approve_order"])

    cycle.run()

    assert site.slurm.calls["add_accounts"] == 0
    site.settle()
    assert states(site) == {OrderState.DONE}
