"""What orders and resources come to in an odd world."""

from dataclasses import replace

import pytest

from tests.fakes.pull import WALDUR_ACCOUNT, Site, new_site, served
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
from waldur_slurm.model.names import ROOT, AccountName
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


BELIEVED, NOT_BELIEVED = RefusalKind.ABSENT, RefusalKind.UNKNOWN


@pytest.mark.parametrize(
    ("lost", "there", "kind"),
    [
        (3, 0, BELIEVED),
        (4, 3, NOT_BELIEVED),
        (4, 4, NOT_BELIEVED),
        (4, 5, BELIEVED),
        (6, 6, NOT_BELIEVED),
    ],
)
def test_a_slurm_that_lost_half_of_all_accounts_tells_nothing_about_one(
    lost: int, there: int, kind: RefusalKind
) -> None:
    site = new_site()
    project = site.waldur.make_project()
    names = [AccountName(f"hpc_{number}") for number in range(lost + there)]
    for name in names:
        site.waldur.make_resource(project, "r", backend_id=name)
    for name in names[lost:]:
        site.slurm.put(Account(name, "theirs", "theirs", ROOT))
    ending = site.waldur.make_resource(project, "r", backend_id="hpc_ending")
    order = site.waldur.place_terminate(ending.uuid)

    refusals = site.plan().plan.refusals

    assert [each.kind for each in refusals if each.subject == order.uuid] == [kind]


def test_what_waldur_calls_erred_or_has_no_account_for_is_no_loss_of_slurms() -> None:
    site = new_site()
    project = site.waldur.make_project()
    made = [site.waldur.make_resource(project, "r", backend_id=f"hpc_{n}") for n in range(5)]
    site.waldur._move(made[-1].uuid, ResourceState.ERRED)
    for _ in range(4):
        site.waldur.make_resource(project, "without")
    order = site.waldur.place_terminate(made[0].uuid)

    refusals = site.plan().plan.refusals

    assert [each.kind for each in refusals if each.subject == order.uuid] == [BELIEVED]


def test_a_slurm_without_the_default_account_tells_nothing() -> None:
    site = new_site()
    resource = site.waldur.make_resource(site.waldur.make_project(), "r", backend_id="hpc_gone")
    del site.slurm._accounts[WALDUR_ACCOUNT]
    order = site.waldur.place_terminate(resource.uuid)

    refusals = site.plan().plan.refusals

    assert [each.kind for each in refusals if each.subject == order.uuid] == [NOT_BELIEVED]
