"""One cycle, one promise: what customers do in Waldur is in Slurm afterwards, and is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    OrderType,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.render import kind_of
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.agent.report.paper import Kind
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName, UserName

ANN, BOB, EVE = (UserName(name) for name in ("ann", "bob", "eve"))
LIMITS = {"gpu": 100, "mem": 10}
ENFORCED = {"cpu": 16 * 60000, "gres/gpu": 6000, "mem": 614400}


@pytest.fixture(params=list(Dialect))
def site(request: pytest.FixtureRequest) -> Site:
    return new_site(request.param)


def allocated(site: Site, *users: str, name: str = "alloc") -> str:
    """An allocation that has come to rest with these people in it; its resource's uuid."""
    project = site.waldur.make_project()
    for user in users:
        site.waldur.add_member(project, user)
    order = site.waldur.place_create(project, name, LIMITS)
    site.settle()
    assert order.resource is not None
    return order.resource


def test_a_create_order_becomes_accounts_limits_people_and_is_done(site: Site) -> None:
    resource = allocated(site, "ann", "bob")

    account = site.account_of(resource)
    assert account.limits == ENFORCED
    assert account.users == {ANN, BOB}
    parents = [account.parent]
    while parents[-1] and parents[-1] != ROOT:
        parents.append(site.accounts()[parents[-1]].parent)
    known = site.waldur.resources[held(resource)]
    project = known.project
    assert parents == [
        f"hpc_{project.uuid}",
        f"hpc_{project.customer_uuid}",
        AccountName("waldur"),
        ROOT,
    ]
    assert known.backend_id == account.name
    assert known.state is ResourceState.OK
    assert [order.state for order in site.waldur.orders.values()] == [OrderState.DONE]


def test_nothing_is_left_to_do_after_it(site: Site) -> None:
    allocated(site, "ann")

    assert kind_of(site.plan()) is Kind.NOTHING


def test_an_idle_cycle_writes_nothing_and_says_nothing(site: Site) -> None:
    allocated(site, "ann", "bob")
    site.run()
    writes, kept = len(site.waldur.writes), site.state.writes
    calls = site.slurm.calls.copy()
    site.events.clear()

    assert site.run().is_idle

    assert site.events == []
    assert len(site.waldur.writes) == writes
    assert site.state.writes == kept
    assert site.slurm.calls - calls == {"read_snapshot": 1}


def test_an_update_sets_the_new_limits_and_is_done(site: Site) -> None:
    resource = allocated(site)

    site.waldur.place_update(site.waldur.resources[held(resource)].uuid, {"gpu": 7})
    site.settle()

    assert site.account_of(resource).limits == {"cpu": 960000, "gres/gpu": 420}
    assert {o.state for o in site.waldur.orders.values()} == {OrderState.DONE}


def test_a_terminate_leaves_slurm_as_it_was_before(site: Site) -> None:
    before = site.slurm.read_snapshot()
    resource = allocated(site, "ann")

    site.waldur.place_terminate(held(resource))
    site.settle()
    site.run(Consent(remove_empty_now=True))

    assert site.slurm.read_snapshot() == before
    assert site.waldur.resources[held(resource)].state is ResourceState.TERMINATED
    assert len(site.desk.reported) == 1


def test_the_order_waits_for_the_last_usage(site: Site) -> None:
    resource = allocated(site, "ann")
    site.desk.is_behind = True
    site.waldur.place_terminate(held(resource))

    site.run()

    assert site.account_of(resource).users == {ANN}
    assert terminate_state(site) is OrderState.EXECUTING
    site.desk.is_behind = False
    site.wait(timedelta(minutes=1))
    site.settle()
    assert terminate_state(site) is OrderState.DONE


def test_a_last_usage_in_doubt_keeps_back_its_own_order_only(site: Site) -> None:
    doubtful, other = allocated(site, "ann", name="one"), allocated(site, "bob", name="two")
    site.desk.in_doubt = site.account_of(doubtful).name
    site.waldur.place_terminate(held(doubtful))
    site.waldur.place_terminate(held(other))

    for _ in range(3):
        site.run()
        site.wait(timedelta(minutes=2))

    states = site.waldur.resources
    assert states[held(doubtful)].state is ResourceState.TERMINATING
    assert states[held(other)].state is ResourceState.TERMINATED
    assert [event for event in site.events if "no amount" in str(event.fields.get("error"))]


def test_jobs_of_a_terminated_allocation_are_cancelled_first(site: Site) -> None:
    resource = allocated(site, "ann")
    site.slurm.submit("ann", site.account_of(resource).name)
    site.wait(timedelta(minutes=1))
    site.waldur.place_terminate(held(resource))

    site.settle()

    assert [job.state for job in site.slurm.jobs] == ["CANCELLED"]
    assert terminate_state(site) is OrderState.DONE


def test_jobs_that_slurmctld_remembers_again_are_cancelled_although_the_account_is_gone(
    site: Site,
) -> None:
    """As after a power cut: the accounting has the removal, slurmctld had not written it down."""
    resource = allocated(site, "ann")
    account = site.account_of(resource)
    site.slurm.submit("ann", account.name)
    site.wait(timedelta(minutes=1))
    site.slurm.put(Account(account.name, account.description, account.organization))
    site.waldur.place_terminate(held(resource))

    site.settle()

    assert [job.state for job in site.slurm.jobs] == ["CANCELLED"]
    assert terminate_state(site) is OrderState.DONE


def test_a_newcomer_is_added_and_a_leaver_removed(site: Site) -> None:
    resource = allocated(site, "ann", "bob")
    project = site.waldur.resources[held(resource)].project
    (bob,) = (user for user, name in site.waldur.usernames.items() if name == "bob")

    site.waldur.add_member(project, "eve")
    site.waldur.remove_member(project, bob)
    site.settle()

    assert site.account_of(resource).users == {ANN, EVE}


def test_a_leaver_with_a_running_job_drains(site: Site) -> None:
    resource = allocated(site, "ann", "bob")
    account = site.account_of(resource).name
    running = site.slurm.submit("bob", account)
    site.wait(timedelta(minutes=1))
    waiting = site.slurm.submit("bob", account)
    project = site.waldur.resources[held(resource)].project
    (bob,) = (user for user, name in site.waldur.usernames.items() if name == "bob")
    site.waldur.remove_member(project, bob)

    site.run()

    assert (running.state, waiting.state) == ("RUNNING", "CANCELLED")
    (association,) = (a for a in site.account_of(resource).associations if a.user == BOB)
    assert association.max_submit_jobs == 0
    site.slurm.finish(running)
    site.settle()
    assert site.account_of(resource).users == {ANN}


def test_who_comes_back_while_draining_may_submit_again(site: Site) -> None:
    resource = allocated(site, "ann", "bob")
    running = site.slurm.submit("bob", site.account_of(resource).name)
    site.wait(timedelta(minutes=1))
    project = site.waldur.resources[held(resource)].project
    (bob,) = (user for user, name in site.waldur.usernames.items() if name == "bob")
    site.waldur.remove_member(project, bob)
    site.run()

    site.waldur.members[project.uuid].add(bob)
    site.settle()

    (association,) = (a for a in site.account_of(resource).associations if a.user == BOB)
    assert association.max_submit_jobs is None
    assert running.end is None


def test_a_removal_that_was_cut_short_is_finished(site: Site) -> None:
    resource = allocated(site, "ann")
    account = site.account_of(resource)
    site.waldur.place_terminate(held(resource))
    site.slurm.put(replace(account, parent=None, limits={}, associations=()))

    site.settle()

    assert account.name not in site.accounts()
    assert terminate_state(site) is OrderState.DONE


def held(resource: str) -> ResourceUuid:
    return ResourceUuid(resource)


def terminate_state(site: Site) -> OrderState:
    (order,) = (o for o in site.waldur.orders.values() if o.type is OrderType.TERMINATE)
    return order.state


def test_each_phase_of_a_cycle_is_entered_once_and_in_order(site: Site) -> None:
    entered: list[str] = []

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        entered.append(name)
        yield
        entered.append("-")

    cycle = site.cycle()
    cycle.phase = phase
    cycle.run()

    assert entered == ["read", "-", "judge", "-", "work", "-", "tell", "-"]


@pytest.mark.parametrize("place", ["place_update", "place_terminate"])
def test_while_the_customer_has_not_agreed_an_allocation_goes_on_living(
    site: Site, place: str
) -> None:
    """Today's Waldur calls it Updating or Terminating from the moment that this was asked for."""
    resource = allocated(site, "ann", "bob")
    project = site.waldur.resources[held(resource)].project
    if place == "place_update":
        site.waldur.place_update(held(resource), {"gpu": 3}, OrderState.PENDING_CONSUMER)
    else:
        site.waldur.place_terminate(held(resource), OrderState.PENDING_CONSUMER)
    (bob,) = (user for user, name in site.waldur.usernames.items() if name == "bob")

    site.waldur.remove_member(project, bob)
    site.waldur.add_member(project, "carol")
    site.waldur._change(site.waldur.resources[held(resource)], is_paused=True)
    site.settle()

    account = site.account_of(resource)
    assert account.users == {"ann", "carol"}
    assert (account.grp_jobs, account.grp_submit_jobs) == (0, 0)


def test_a_terminate_that_the_provider_has_not_approved_ends_nothing(site: Site) -> None:
    resource = allocated(site, "ann")
    site.change_policy(approve_orders=False)
    site.waldur.place_terminate(held(resource))

    site.waldur.add_member(site.waldur.resources[held(resource)].project, "carol")
    site.settle()

    assert site.account_of(resource).users == {"ann", "carol"}


def test_while_the_offering_is_unavailable_orders_wait_and_that_is_said_once() -> None:
    site = new_site(Dialect.TODAY)
    running = allocated(site, "ann")
    open_, closed = site.waldur.offering, replace(site.waldur.offering, state="Unavailable")
    site.waldur.offering = closed
    for name in ("first", "second"):
        site.waldur.place_create(site.waldur.make_project(), name, LIMITS)
    site.waldur.begin(site.waldur.place_terminate(held(running)).uuid)
    site.waldur.add_member(site.waldur.resources[held(running)].project, "carol")
    before = site.accounts()

    reports = [site.run() for _ in range(3)]

    assert site.accounts() == before
    for report in reports:
        assert report.failures == ()
        (refusal,) = report.refusals
        assert (refusal.kind, refusal.subject) == (RefusalKind.UNAVAILABLE, closed.uuid)
        assert "3 orders wait" in refusal.reason
    site.waldur.offering = open_
    site.settle()
    assert {order.state for order in site.waldur.orders.values()} == {OrderState.DONE}


def test_whether_the_offering_is_available_is_asked_only_where_orders_wait(site: Site) -> None:
    allocated(site, "ann")
    asked = site.waldur.calls["read_offering"]

    site.run()

    assert site.waldur.calls["read_offering"] == asked
