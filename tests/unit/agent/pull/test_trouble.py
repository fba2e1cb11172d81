"""One item's trouble is its own: neighbours go on, and what cannot be known is not acted on."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.pull import WALDUR_ACCOUNT, Site, new_site
from tests.fakes.slurm import refused
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import Dialect, Order, OrderState, ResourceState
from waldur_slurm.agent.pull.memory.quarantine import Rest, after_cycle, resting
from waldur_slurm.agent.pull.vocabulary.failures import Failure
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddUser
from waldur_slurm.errors import AccountingDown, CommandFailed, TransportError
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting, Outcome
from waldur_slurm.telemetry.events import Level

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class PoisonedSlurm:
    """Refuses every batch that holds the poisoned account or user, and counts what it is asked."""

    def __init__(self, slurm: Accounting, poison: str) -> None:
        self._slurm = slurm
        self._poison = poison

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def add_accounts(self, accounts: list[NewAccount]) -> Outcome:
        if any(self._poison in account.name for account in accounts):
            raise refused("Invalid")
        return self._slurm.add_accounts(accounts)

    def add_users(self, memberships: dict[AccountName, list[UserName]]) -> Outcome:
        if any(self._poison in user for users in memberships.values() for user in users):
            raise refused("Invalid")
        return self._slurm.add_users(memberships)


class StumblingSlurm(PoisonedSlurm):
    """Does what is healthy of a batch before it refuses the poisoned, as it does for Operators."""

    def add_accounts(self, accounts: list[NewAccount]) -> Outcome:
        healthy = [account for account in accounts if self._poison not in account.name]
        self._slurm.add_accounts(healthy)
        return super().add_accounts(accounts)


@pytest.fixture
def site() -> Site:
    return new_site()


def many_orders(site: Site, count: int, **named: str) -> list[Order]:
    project = site.waldur.make_project()
    orders = [site.waldur.place_create(project, f"a{n}", {"gpu": 1}) for n in range(count)]
    orders.extend(site.waldur.place_create(project, name, {"gpu": 1}) for name in named.values())
    return orders


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


def test_what_fails_rests_for_growing_pauses(site: Site) -> None:
    many_orders(site, 0, poison="poison")
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__
    tried: list[bool] = []
    for _ in range(16):
        tried.append(bool(site.run().failures))
        site.wait(timedelta(minutes=1))

    assert [number for number, was in enumerate(tried) if was] == [0, 1, 3, 7, 15]


def test_a_cured_order_is_done_and_forgotten(site: Site) -> None:
    many_orders(site, 0, poison="poison")
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__
    report = site.run()
    assert report.quarantined
    site.wrap_slurm = lambda slurm: slurm
    assert [r.kind for r in site.run().refusals] == [RefusalKind.QUARANTINED]

    site.wait(timedelta(minutes=2))
    report = site.run()

    assert states(site) == {OrderState.DONE}
    assert report.quarantined == ()


def test_pauses_end_after_six_hours_and_survive_a_clock_that_jumps() -> None:
    failure = Failure(
        AddUser(account=AccountName("a"), user=UserName("u")), CommandFailed(("x",), 1, "no")
    )
    entries: dict[str, Rest] = {}
    for _ in range(50):
        entries = after_cycle(entries, [failure], NOON)

    assert list(resting(entries, NOON)) == ["a/u"]
    assert resting(entries, NOON + timedelta(hours=6)) == {}
    assert resting(entries, NOON - timedelta(days=1)) == {}


def test_transient_trouble_is_no_ones_fault() -> None:
    failure = Failure(AddUser(account=AccountName("a"), user=UserName("u")), TransportError("gone"))

    assert after_cycle({}, [failure], NOON) == {}


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


@pytest.mark.parametrize(
    "method", ["approve_order", "tell_backend_id", "tell_order_done", "read_orders"]
)
@pytest.mark.parametrize("is_after", [False, True])
def test_waldur_failing_in_the_middle_leaves_the_order_as_it_is(
    site: Site, method: str, is_after: bool
) -> None:
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    site.waldur.fail_next(method, WaldurUnreachable("502"), after=is_after)

    try:
        site.run()
    except WaldurUnreachable:
        assert method == "read_orders"
    assert site.waldur.orders[order.uuid].state is not OrderState.ERRED
    site.settle()

    assert states(site) == {OrderState.DONE}
    assert site.account_of(order.resource).name == "hpc_00000_alloc"


def test_a_word_that_waldur_refuses_rests_and_neighbours_are_told(site: Site) -> None:
    first, second = many_orders(site, 2)
    site.waldur.fail_next("tell_backend_id", WaldurRejected("x", 400, "no"))

    report = site.run()

    done = {site.waldur.orders[order.uuid].state for order in (first, second)}
    assert done == {OrderState.DONE, OrderState.EXECUTING}
    assert len(report.quarantined) == 1


def test_an_unreachable_waldur_is_not_asked_a_thousand_times(site: Site) -> None:
    many_orders(site, 60)
    site.waldur.go_down()
    with pytest.raises(WaldurUnreachable):
        site.run()
    site.waldur.come_back()
    for _ in range(60):
        site.waldur.fail_next("approve_order", WaldurUnreachable("502"))

    report = site.run()

    assert 3 <= len(report.failures) <= 10
    assert site.waldur.calls["approve_order"] <= 10


@pytest.mark.parametrize("absurd", [-5, "cpu=abc", 1.5, 10**30])
def test_an_absurd_limit_waits_for_the_provider(site: Site, absurd: object) -> None:
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": absurd})
    neighbour = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.INVALID_ORDER]
    assert site.waldur.orders[neighbour.uuid].state is OrderState.DONE


def test_an_absurd_limit_is_rejected_where_the_site_wants_that(site: Site) -> None:
    site.change_policy(reject_invalid=True)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": -1})

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.REJECTED
    (told,) = site.waldur.written("reject_order")
    assert told.detail == "The limit of GPU must be a whole number, 0 or more."


def test_an_absurd_limit_that_somebody_approved_errs_that_order_alone(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": -1}, OrderState.EXECUTING)

    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.ERRED
    (told,) = site.waldur.written("tell_order_erred")
    assert told.detail == "The limit of GPU must be a whole number, 0 or more."
    assert not any(name.startswith("hpc_") for name in site.accounts())


def test_approval_may_be_left_to_a_person(site: Site) -> None:
    site.change_policy(approve_orders=False)
    project = site.waldur.make_project()
    waiting = site.waldur.place_create(project, "waiting", {"gpu": 1})
    approved = site.waldur.place_create(project, "approved", {"gpu": 1}, OrderState.EXECUTING)

    site.run()

    assert site.waldur.orders[waiting.uuid].state is OrderState.PENDING_PROVIDER
    assert site.waldur.orders[approved.uuid].state is OrderState.DONE


def test_without_the_default_account_no_order_is_carried_out_or_erred(site: Site) -> None:
    site.change_policy(default_account=AccountName("nosuch"))
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING
    assert [r.reason for r in report.refusals] == [
        "the default account nosuch does not exist in Slurm"
    ]


def test_hostile_names_make_one_harmless_account(site: Site) -> None:
    project = site.waldur.make_project("x|y\nz", "a,b[1-9]")
    order = site.waldur.place_create(project, "--immediate; rm -rf /\x00\u202e" + "A" * 5000, {})

    site.settle()

    account = site.account_of(order.resource)
    assert len(account.name) <= 34
    assert account.description.isascii()
    assert "\n" not in account.description
    assert len(site.accounts()) == 5


def test_when_it_is_told_to_stop_it_stops_between_two_calls(site: Site) -> None:
    many_orders(site, 3)
    cycle = site.cycle()
    cycle.is_stopping = lambda: bool(site.waldur.calls["approve_order"])

    cycle.run()

    assert site.slurm.calls["add_accounts"] == 0
    site.settle()
    assert states(site) == {OrderState.DONE}


def test_a_resource_erred_in_waldur_keeps_its_people_in_step(site: Site) -> None:
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.settle()
    assert order.resource is not None
    site.waldur._move(order.resource, ResourceState.ERRED)
    site.waldur.add_member(project, "bob")

    site.run()

    assert site.account_of(order.resource).users == {"ann", "bob"}
