"""Every intent of the port once, on the fake and on the adapter alike."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.contract_waldur.sites import ServedSite, Site, resource_of, serve_create
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.errors import WaldurRejected
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    OrderType,
    OrderUuid,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import TresName

CPU = ComponentType("cpu")
MEM = ComponentType("mem")
NODE = Component(
    tres=TresName("node"),
    type=ComponentType("node"),
    label="Nodes",
    measured_unit="node-hours",
    accounting_type=AccountingType.USAGE,
    limit=0,
    unit_factor=Decimal(60),
)


def this_month(site: Site) -> Month:
    site.market.read_offering()
    now = site.market.server_time
    assert now is not None
    return Month(now.year, now.month)


def state_of(site: Site, resource: ResourceUuid) -> ResourceState:
    return site.market.read_resource(resource).state


def test_a_create_order_waits_is_approved_and_is_done(site: Site) -> None:
    order = site.order_create(site.make_project(), {"cpu": 5})
    [waiting] = site.market.read_orders()
    assert (waiting.uuid, waiting.type) == (order, OrderType.CREATE)
    assert waiting.state is OrderState.PENDING_PROVIDER
    assert waiting.limits == {"cpu": 5}
    site.market.approve_order(order)
    assert [one.state for one in site.market.read_orders()] == [OrderState.EXECUTING]
    site.market.tell_order_done(order)
    assert site.market.read_orders() == ()
    assert state_of(site, resource_of(site, order)) is ResourceState.OK


def test_orders_come_oldest_first(site: Site) -> None:
    project = site.make_project()
    placed = [site.order_create(project, {}) for _ in range(3)]
    assert [order.uuid for order in site.market.read_orders()] == placed


def test_approving_again_changes_nothing(site: Site) -> None:
    order = site.order_create(site.make_project(), {})
    site.market.approve_order(order)
    site.market.approve_order(order)
    assert site.market.read_order(order).state is OrderState.EXECUTING


def test_a_rejected_create_order_ends_its_resource(site: Site) -> None:
    order = site.order_create(site.make_project(), {})
    site.market.reject_order(order, "limits must not be negative")
    site.market.reject_order(order, "limits must not be negative")
    assert site.market.read_order(order).state is OrderState.REJECTED
    assert state_of(site, resource_of(site, order)) is ResourceState.TERMINATED


def test_a_done_order_is_told_done_again_without_an_effect(site: Site) -> None:
    order = site.order_create(site.make_project(), {})
    site.market.approve_order(order)
    site.market.tell_order_done(order)
    site.market.tell_order_done(order)
    assert site.market.read_order(order).state is OrderState.DONE


def test_an_order_that_was_never_approved_is_not_done(site: Site) -> None:
    order = site.order_create(site.make_project(), {})
    with pytest.raises(WaldurRejected) as caught:
        site.market.tell_order_done(order)
    assert caught.value.status == 409
    assert site.market.read_order(order).state is OrderState.PENDING_PROVIDER


def test_an_executing_order_errs(site: Site) -> None:
    order = site.order_create(site.make_project(), {})
    site.market.approve_order(order)
    site.market.tell_order_erred(order, "the account exists already")
    site.market.tell_order_erred(order, "the account exists already")
    assert site.market.read_order(order).state is OrderState.ERRED


def test_a_done_order_is_never_erred(site: Site) -> None:
    order = site.order_create(site.make_project(), {})
    site.market.approve_order(order)
    site.market.tell_order_done(order)
    site.market.tell_order_erred(order, "too late")
    assert site.market.read_order(order).state is OrderState.DONE
    assert state_of(site, resource_of(site, order)) is ResourceState.OK


def test_an_unknown_order_is_rejected(site: Site) -> None:
    with pytest.raises(WaldurRejected) as caught:
        site.market.read_order(OrderUuid("0" * 32))
    assert caught.value.status == 404


def test_a_create_order_is_carried_through(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {"cpu": 5})
    found = site.market.read_resource(resource)
    assert (found.state, found.backend_id) == (ResourceState.OK, "hpc_alloc")
    assert found.limits == {"cpu": 5}
    assert not found.has_order_in_flight


def test_a_create_order_that_is_started_again_after_a_crash_is_carried_through(site: Site) -> None:
    order = site.order_create(site.make_project(), {"cpu": 5})
    site.market.approve_order(order)
    resource = site.market.read_resource(resource_of(site, order))
    for _ in range(2):
        site.market.tell_backend_id(resource, "hpc_alloc")
        site.market.tell_limits(resource, {CPU: 5})
        site.market.tell_work_begun(resource)
    for _ in range(2):
        site.market.tell_resource_ok(resource)
        site.market.tell_order_done(order)
    assert site.market.read_order(order).state is OrderState.DONE
    assert state_of(site, resource.uuid) is ResourceState.OK


def test_an_update_order_brings_its_limits(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {"cpu": 5})
    order = site.order_update(resource, {"cpu": 7})
    assert site.market.read_resource(resource).has_order_in_flight
    site.market.approve_order(order)
    updating = site.market.read_resource(resource)
    assert updating.state is ResourceState.UPDATING
    site.market.tell_work_begun(updating)
    site.market.tell_limits(updating, {CPU: 7})
    site.market.tell_resource_ok(updating)
    site.market.tell_order_done(order)
    found = site.market.read_resource(resource)
    assert (found.state, found.limits) == (ResourceState.OK, {"cpu": 7})
    assert not found.has_order_in_flight


def test_two_update_orders_in_a_row_are_carried_out(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {"cpu": 5})
    for cpu in (7, 9):
        order = site.order_update(resource, {"cpu": cpu})
        site.market.approve_order(order)
        updating = site.market.read_resource(resource)
        site.market.tell_work_begun(updating)
        site.market.tell_resource_ok(updating)
        site.market.tell_order_done(order)
        assert site.market.read_order(order).state is OrderState.DONE
    assert site.market.read_resource(resource).limits == {"cpu": 9}


def test_an_update_after_an_allocation_that_was_never_ok_errs_where_there_is_one(
    site: Site,
) -> None:
    order = site.order_create(site.make_project(), {"cpu": 5})
    site.market.approve_order(order)
    site.market.tell_order_done(order)
    update = site.order_update(resource_of(site, order), {"cpu": 7})
    site.market.approve_order(update)
    is_today = site.market.dialect is Dialect.TODAY
    wanted = OrderState.EXECUTING if is_today else OrderState.ERRED
    assert site.market.read_order(update).state is wanted


def test_a_terminate_order_takes_the_resource_out_of_the_list(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {})
    assert [one.uuid for one in site.market.read_resources()] == [resource]
    order = site.order_terminate(resource)
    site.market.approve_order(order)
    site.market.tell_order_done(order)
    assert site.market.read_resources() == ()
    assert state_of(site, resource) is ResourceState.TERMINATED


def test_a_terminate_order_that_errs_leaves_the_resource_ok(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {})
    order = site.order_terminate(resource)
    site.market.approve_order(order)
    site.market.tell_order_erred(order, "jobs are running")
    assert state_of(site, resource) is ResourceState.OK


def test_limits_that_slurm_enforces_reach_the_resource(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {"cpu": 5})
    site.market.tell_limits(site.market.read_resource(resource), {CPU: 9, MEM: 0})
    assert site.market.read_resource(resource).limits == {"cpu": 9, "mem": 0}


def test_an_erred_resource_can_be_ok_again(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {})
    site.market.tell_resource_erred(site.market.read_resource(resource), "the account is gone")
    erred = site.market.read_resource(resource)
    assert erred.state is ResourceState.ERRED
    site.market.tell_resource_ok(erred)
    assert state_of(site, resource) is ResourceState.OK


def test_members_come_and_go(site: Site) -> None:
    project = site.make_project()
    alice, bob = site.add_member(project, "alice"), site.add_member(project, "bob")
    serve_create(site, project, {})
    resources = site.market.read_resources()
    [resource] = resources
    assert site.market.read_members(resources) == {resource.uuid: frozenset({alice, bob})}
    site.remove_member(project, bob)
    assert site.market.read_members(resources) == {resource.uuid: frozenset({alice})}
    site.remove_member(project, alice)
    assert site.market.read_members(resources) == {resource.uuid: frozenset()}


def test_a_user_name_is_usable_once_it_is_given(site: Site) -> None:
    project = site.make_project()
    alice, nobody = site.add_member(project, "alice"), site.add_member(project, "")
    serve_create(site, project, {})
    found = {
        user.user: (user.username, user.is_usable) for user in site.market.read_offering_users()
    }
    assert found == {alice: ("alice", True), nobody: ("", False)}


def test_associations_are_kept_where_waldur_has_a_list_of_them(site: Site) -> None:
    serve_create(site, site.make_project(), {})
    [resource] = site.market.read_resources()
    for _ in range(2):
        site.market.tell_association(resource, "alice")
    site.market.tell_association(resource, "bob")
    for _ in range(2):
        site.market.tell_no_association(resource, "bob")
    found = site.market.read_associations([resource])
    if site.market.dialect is Dialect.TODAY:
        assert found is None
    else:
        assert found == {resource.uuid: frozenset({"alice"})}


def test_usage_is_overwritten_and_read_back(site: Site) -> None:
    month = this_month(site)
    resource = site.market.read_resource(serve_create(site, site.make_project(), {}))
    site.market.tell_usage(resource, {CPU: Decimal("13.50"), MEM: Decimal("2.00")})
    site.market.tell_usage(resource, {CPU: Decimal("12.25")})
    found = {usage.component: usage.amount for usage in site.market.read_usages(month)}
    assert found == {CPU: Decimal("12.25"), MEM: Decimal("2.00")}
    assert {usage.resource for usage in site.market.read_usages(month)} == {resource.uuid}
    assert site.market.read_usages(month.preceding()) == ()


def test_usage_of_an_unknown_component_is_rejected_whole(site: Site) -> None:
    month = this_month(site)
    resource = site.market.read_resource(serve_create(site, site.make_project(), {}))
    with pytest.raises(WaldurRejected) as caught:
        site.market.tell_usage(resource, {CPU: Decimal(1), ComponentType("nope"): Decimal(1)})
    assert caught.value.status == 400
    assert site.market.read_usages(month) == ()


def test_a_terminated_resource_takes_no_usage(site: Site) -> None:
    resource = serve_create(site, site.make_project(), {})
    order = site.order_terminate(resource)
    site.market.approve_order(order)
    terminating = site.market.read_resource(resource)
    site.market.tell_usage(terminating, {CPU: Decimal("1.00")})
    site.market.tell_order_done(order)
    with pytest.raises(WaldurRejected):
        site.market.tell_usage(terminating, {CPU: Decimal("2.00")})


def test_usage_by_person_names_who_was_refused(site: Site) -> None:
    month = this_month(site)
    project = site.make_project()
    site.add_member(project, "alice")
    site.add_member(project, "bob")
    resource = site.market.read_resource(serve_create(site, project, {}))
    site.market.tell_usage(resource, {CPU: Decimal(3)})
    [usage] = site.market.read_usages(month)
    told = {"alice": Decimal("1.50"), "bob": Decimal("0.50"), "stranger": Decimal("1.00")}
    refused = site.market.tell_user_usages(usage, told)
    found = {one.username: one.amount for one in site.market.read_user_usages(month, [usage])}
    is_checked = site.market.dialect is Dialect.TODAY
    assert set(refused) == ({"stranger"} if is_checked else set())
    assert found == {name: amount for name, amount in told.items() if name not in refused}
    assert site.market.read_user_usages(month.preceding(), ()) == ()
    assert site.market.read_user_usages(month, ()) == ()


def test_a_limit_component_of_a_past_month_takes_a_date_where_dates_are_taken(site: Site) -> None:
    month = this_month(site)
    resource = site.market.read_resource(serve_create(site, site.make_project(), {}))
    now = site.market.server_time
    assert now is not None
    component = next(
        c.type for c in site.market.read_offering().components if c.billing_type == "limit"
    )
    past = now - timedelta(days=now.day)
    site.market.tell_usage(resource, {component: Decimal(4)}, on=past)
    is_dated = site.market.dialect is Dialect.TODAY
    [usage] = site.market.read_usages(month.preceding() if is_dated else month)
    assert usage.amount == Decimal(4)


def test_a_usage_component_of_a_past_month_is_refused_where_dates_are_taken(site: Site) -> None:
    this_month(site)
    site.market.create_component(NODE)
    resource = site.market.read_resource(serve_create(site, site.make_project(), {}))
    now = site.market.server_time
    assert now is not None
    if site.market.dialect is not Dialect.TODAY:
        assert not site.market.dialect.takes_dates
        return
    with pytest.raises(WaldurRejected) as caught:
        site.market.tell_usage(resource, {NODE.type: Decimal(4)}, on=now - timedelta(days=now.day))
    assert caught.value.status == 400


def test_a_component_is_created_and_updated_with_a_limit_of_nought(site: Site) -> None:
    site.market.create_component(NODE)
    found = {c.type: c for c in site.market.read_offering().components}[NODE.type]
    assert (found.name, found.measured_unit) == ("Nodes", "node-hours")
    assert (found.billing_type, found.limit_amount) == (AccountingType.USAGE, 0)
    site.market.update_component(found, replace(NODE, label="Whole nodes", limit=5))
    [updated] = [c for c in site.market.read_offering().components if c.type == NODE.type]
    assert (updated.uuid, updated.name, updated.limit_amount) == (found.uuid, "Whole nodes", 5)


def test_the_agent_registers_itself_once_however_often_it_starts(site: Site) -> None:
    for _ in range(2):
        site.market.register_agent("1.0.0", "pull")
    if isinstance(site, ServedSite):
        agents = site.waldur.agents()
        expected = 1 if site.market.dialect is Dialect.TODAY else 0
        assert len(agents) == expected
        assert "waldur.registration_failed" not in site.notices


def test_that_the_agent_is_alive_is_told_without_another_start(start_waldur: StartWaldur) -> None:
    site = ServedSite(start_waldur("today"))
    site.market.register_agent("1.0.0", "pull")
    store = site.waldur.store
    store.run("UPDATE identities SET last_restarted = 'long ago'")
    store.run("UPDATE processors SET last_run = 'long ago'")

    site.market.register_agent("1.0.0", "pull", has_started=False)

    (identity,) = store.rows("SELECT * FROM identities")
    (processor,) = store.rows("SELECT * FROM processors")
    assert identity["last_restarted"] == "long ago"
    assert processor["last_run"] != "long ago"


def test_the_rights_of_the_token_are_named(site: Site) -> None:
    rights = site.market.read_rights()

    assert rights.are_owners
    assert [role.name for role in rights.here] == ["CUSTOMER.OWNER"]
    assert rights.elsewhere == ()


def test_a_member_is_made_an_offering_user_once(site: Site) -> None:
    project = site.make_project()
    serve_create(site, project, {})
    site.add_member(project, "alice")
    known = site.market.read_offering_users()
    for user in (each.user for each in known):
        site.market.tell_offering_user(user)
    assert site.market.read_offering_users() == known


def test_the_names_of_members_are_told_once_after_they_were_read(site: Site) -> None:
    project = site.make_project()
    alice = site.add_member(project, "alice")
    serve_create(site, project, {})
    site.market.read_members(site.market.read_resources())
    assert "at-home" in site.market.member_names([alice])[alice]
