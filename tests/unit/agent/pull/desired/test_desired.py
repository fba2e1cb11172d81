"""What orders and resources come to in an odd world."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    OrderType,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddAccount
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName
from waldur_slurm.telemetry.events import Level


@pytest.fixture
def site() -> Site:
    """One allocation with ann and bob in it."""
    site = new_site()
    served(site, "ann", "bob")
    return site


def the_resource(site: Site) -> ResourceUuid:
    (uuid,) = site.waldur.resources
    return uuid


def account(site: Site) -> Account:
    return site.account_of(the_resource(site))


def test_an_allocation_without_its_account_is_shown_and_not_made_again(site: Site) -> None:
    name = account(site).name
    site.slurm.remove_users(name, account(site).users)
    site.slurm.remove_accounts([name])

    assert site.run().is_idle
    drifts = site.plan().plan.drifts
    assert [(drift.kind, drift.wanted) for drift in drifts] == [(DriftKind.MISSING, name)]
    update = site.waldur.place_update(the_resource(site), {"gpu": 2})
    site.run()
    assert site.waldur.orders[update.uuid].state is OrderState.EXECUTING


def test_orders_of_a_kind_that_is_not_known_are_left_alone(site: Site) -> None:
    order = site.waldur.place_update(the_resource(site), {"gpu": 2})
    site.waldur.orders[order.uuid] = replace(order, type=OrderType.OTHER)

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.SITE]


def test_resources_in_a_state_that_is_not_known_are_left_alone(site: Site) -> None:
    site.waldur._move(the_resource(site), ResourceState.OTHER)
    site.waldur.add_member(site.waldur.resources[the_resource(site)].project, "eve")

    assert site.run().is_idle


def test_an_order_whose_resource_is_not_made_yet_is_approved_and_waits(site: Site) -> None:
    project = site.waldur.make_project("Later")
    order = site.waldur.place_create(project, "later", {"gpu": 1})
    resource = order.resource
    assert resource is not None
    site.waldur.orders[order.uuid] = replace(order, resource=None)

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.AWAITS_WALDUR]
    executing = site.waldur.orders[order.uuid]
    site.waldur.orders[order.uuid] = replace(executing, resource=resource)
    site.settle()
    assert site.waldur.orders[order.uuid].state is OrderState.DONE


@pytest.mark.parametrize("dialect", [Dialect.TRANSITION, Dialect.CLASSIC])
def test_an_order_waits_for_the_hidden_allocation_and_gets_the_name_that_was_planned(
    dialect: Dialect,
) -> None:
    site = new_site(dialect)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    assert order.resource is not None
    made = site.waldur.resources[order.resource]
    site.waldur.resources[made.uuid] = replace(made, allocation_uuid="")
    planned = [s.account for s in site.plan().plan.steps if isinstance(s, AddAccount)]

    cycle = site.cycle()
    for _ in range(3):
        (refusal,) = cycle.run().refusals
        assert (refusal.kind, refusal.subject) == (RefusalKind.AWAITS_WALDUR, order.uuid)
        assert "has not made its allocation yet" in refusal.reason
    (told,) = [event for event in site.events if event.name == "step.refused"]
    assert told.level is Level.INFO
    assert not any(name.startswith("hpc_") for name in site.accounts())
    held = site.waldur.resources[made.uuid]
    site.waldur.resources[made.uuid] = replace(held, allocation_uuid="f" * 32)
    site.settle()

    assert site.account_of(made.uuid).name == planned[-1]
    assert planned[-1] == f"hpc_{made.uuid[:5]}_alloc"


def test_a_mark_on_two_accounts_stops_that_allocation(site: Site) -> None:
    site.slurm.put(replace(account(site), name=AccountName("hpc_copy"), associations=()))
    site.waldur.add_member(site.waldur.resources[the_resource(site)].project, "eve")
    before = site.accounts()

    site.run()

    assert site.accounts() == before


def test_an_update_without_limits_changes_none(site: Site) -> None:
    before = account(site).limits
    order = site.waldur.place_update(the_resource(site), {})

    site.settle()

    assert account(site).limits == before
    assert site.waldur.orders[order.uuid].state is OrderState.DONE
