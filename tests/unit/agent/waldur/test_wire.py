"""Rows of Waldur as values: tolerant of what is new, strict on what is promised."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.agent.model.marketplace import OrderState, OrderType, ResourceState
from waldur_slurm.agent.waldur.wire.offerings import parse_offering
from waldur_slurm.agent.waldur.wire.orders import parse_in_flight, parse_order, parse_orders
from waldur_slurm.agent.waldur.wire.people import (
    parse_offering_user,
    parse_permission,
    parse_rights,
)
from waldur_slurm.agent.waldur.wire.resources import parse_resource
from waldur_slurm.agent.waldur.wire.usages import parse_usage
from waldur_slurm.model.period import Month

HEX = "f47ac10b58cc4372a5670e02b2c3d479"
DASHED = "F47AC10B-58CC-4372-A567-0E02B2C3D479"

BELONGING = {
    "project_uuid": DASHED,
    "project_name": "Physics",
    "customer_uuid": HEX,
    "customer_name": "Science",
}
ORDER: dict[str, Any] = BELONGING | {
    "uuid": DASHED,
    "type": "Create",
    "state": "executing",
    "created": "2026-11-21T03:18:49.944914Z",
    "resource_name": "alloc",
    "marketplace_resource_uuid": HEX,
    "limits": {"cpu": 5},
}
RESOURCE: dict[str, Any] = BELONGING | {
    "uuid": HEX,
    "name": "alloc",
    "state": "OK",
    "backend_id": "hpc_alloc",
}


def test_every_spelling_of_a_uuid_is_the_same_value() -> None:
    order = parse_order(ORDER, "orders")
    assert (order.uuid, order.resource, order.project.uuid) == (HEX, HEX, HEX)


def test_an_accounts_name_is_read_as_slurm_writes_it() -> None:
    resource = parse_resource(RESOURCE | {"backend_id": "HPC_Alloc"}, "resources", frozenset())
    assert resource.backend_id == "hpc_alloc"


def test_an_order_is_read_whole() -> None:
    order = parse_order(ORDER, "orders")
    assert (order.type, order.state) == (OrderType.CREATE, OrderState.EXECUTING)
    assert order.created == datetime(2026, 11, 21, 3, 18, 49, 944914, UTC)
    assert order.limits == {"cpu": 5}


def test_what_waldur_adds_one_day_is_ignored_or_other() -> None:
    row = ORDER | {"type": "Transfer", "state": "pending-moon", "colour": "red"}
    order = parse_order(row, "orders")
    assert (order.type, order.state) == (OrderType.OTHER, OrderState.OTHER)
    resource = parse_resource(RESOURCE | {"state": "Asleep"}, "resources", frozenset())
    assert resource.state is ResourceState.OTHER


@pytest.mark.parametrize("field", ["uuid", "type", "state", "created", "project_uuid"])
def test_a_missing_promise_is_named(field: str) -> None:
    row = {key: value for key, value in ORDER.items() if key != field}
    with pytest.raises(UnexpectedPayload, match=f"orders: .*`{field}`"):
        parse_order(row, "orders")


@pytest.mark.parametrize(
    ("field", "value"),
    [("uuid", 7), ("uuid", "not-a-uuid"), ("limits", []), ("created", "soon"), ("state", None)],
)
def test_a_broken_promise_is_unexpected(field: str, value: object) -> None:
    with pytest.raises(UnexpectedPayload):
        parse_order(ORDER | {field: value}, "orders")


def test_an_order_that_cannot_be_read_stands_alone() -> None:
    other = ORDER | {"uuid": f"{7:032x}", "limits": "plenty"}

    orders, unreadable = parse_orders([ORDER, other], "orders")

    assert [order.uuid for order in orders] == [parse_order(ORDER, "orders").uuid]
    assert list(unreadable) == [f"{7:032x}"]
    assert "limits" in next(iter(unreadable.values()))


@pytest.mark.parametrize("row", [7, {}, ORDER | {"uuid": 7}])
def test_a_row_that_does_not_say_which_order_it_is_spoils_the_answer(row: object) -> None:
    with pytest.raises(UnexpectedPayload):
        parse_orders([ORDER, row], "orders")


def test_limits_stay_as_waldur_sent_them() -> None:
    absurd = {"cpu": -1, "mem": "many", "gpu": None}
    assert parse_order(ORDER | {"limits": absurd}, "orders").limits == absurd
    assert parse_order(ORDER | {"limits": None}, "orders").limits == {}


def test_an_order_may_not_have_its_resource_yet() -> None:
    row = ORDER | {"marketplace_resource_uuid": None}
    assert parse_order(row, "orders").resource is None


def test_only_a_slurm_allocation_is_taken_for_one() -> None:
    allocation: dict[str, object] = {"resource_type": "SLURM.Allocation", "resource_uuid": DASHED}
    other: dict[str, object] = {"resource_type": "OpenStack.Tenant", "resource_uuid": HEX}
    none: dict[str, object] = {"resource_uuid": None}
    for more, wanted in ((allocation, HEX), (other, ""), (none, "")):
        resource = parse_resource(RESOURCE | more, "resources", frozenset())
        assert resource.allocation_uuid == wanted


def test_an_open_order_is_known_by_its_resource() -> None:
    rows = [{"marketplace_resource_uuid": DASHED}, {"marketplace_resource_uuid": None}]
    in_flight = parse_in_flight(rows, "orders")
    assert parse_resource(RESOURCE, "resources", in_flight).has_order_in_flight
    assert not parse_resource(RESOURCE, "resources", frozenset()).has_order_in_flight


@pytest.mark.parametrize(
    ("changes", "is_usable"),
    [
        ({}, True),
        ({"state": "OK"}, True),
        ({"username": ""}, False),
        ({"username": None}, False),
        ({"is_restricted": True}, False),
        ({"state": "Creating"}, False),
        ({"state": "Pending account linking"}, False),
        ({"state": "Something new"}, False),
    ],
)
def test_an_offering_user_is_usable_when_nothing_speaks_against_it(
    changes: dict[str, object], is_usable: bool
) -> None:
    row = {"uuid": HEX, "user_uuid": HEX, "username": "alice", "is_restricted": False} | changes
    assert parse_offering_user(row, "users").is_usable is is_usable


@pytest.mark.parametrize(
    ("changes", "why_not", "is_leaving"),
    [
        ({"username": ""}, "has no user name", False),
        ({"is_restricted": True}, "is restricted", False),
        ({"state": "Error creating"}, "'Error creating'", False),
        ({"state": "Something new"}, "'Something new'", False),
        ({"state": "Requested deletion"}, "'Requested deletion'", True),
        ({"state": "Deleted"}, "'Deleted'", True),
    ],
)
def test_an_offering_user_that_is_not_usable_says_why_and_whether_it_is_on_its_way_out(
    changes: dict[str, object], why_not: str, is_leaving: bool
) -> None:
    row = {"uuid": HEX, "user_uuid": HEX, "username": "alice", "is_restricted": False} | changes
    person = parse_offering_user(row, "users")
    assert why_not in person.why_not
    assert person.is_leaving is is_leaving


@pytest.mark.parametrize("amount", ["14.10", 14.1, "14.1"])
def test_usage_is_exact_however_it_is_written(amount: object) -> None:
    row = {
        "uuid": HEX,
        "resource_uuid": HEX,
        "type": "cpu",
        "usage": amount,
        "billing_period": "2026-11-01",
    }
    usage = parse_usage(row, "usages")
    assert (usage.amount, usage.month) == (Decimal("14.1"), Month(2026, 11))


@pytest.mark.parametrize("amount", ["many", "NaN", "Infinity", None])
def test_usage_that_is_no_number_is_unexpected(amount: object) -> None:
    row = {
        "uuid": HEX,
        "resource_uuid": HEX,
        "type": "cpu",
        "usage": amount,
        "billing_period": "2026-11-01",
    }
    with pytest.raises(UnexpectedPayload):
        parse_usage(row, "usages")


def test_an_offering_keeps_billing_types_that_agents_do_not_use() -> None:
    component = {"uuid": HEX, "type": "setup", "name": "Setup", "measured_unit": ""}
    row = {
        "uuid": HEX,
        "name": "Cluster",
        "state": "Active",
        "type": "Marketplace.Slurm",
        "customer_uuid": HEX,
        "components": [component | {"billing_type": "one"}, component | {"billing_type": "usage"}],
    }
    billing = [c.billing_type for c in parse_offering(row, "offering").components]
    assert billing == ["one", AccountingType.USAGE]
    assert not parse_offering(row, "offering").wants_memberships
    opted = row | {"plugin_options": {"enable_membership_sync_status": True}}
    assert parse_offering(opted, "offering").wants_memberships


def test_plans_tell_what_has_a_price_and_one_that_cannot_be_read_stops_nothing() -> None:
    row = {
        "uuid": HEX,
        "name": "Cluster",
        "state": "Active",
        "type": "Marketplace.Slurm",
        "customer_uuid": HEX,
        "components": [],
        "plans": [
            {"uuid": HEX, "name": "Standard", "prices": {"cpu": 0.0}, "archived": False},
            {"uuid": HEX, "name": "Old", "prices": {}, "archived": True, "resources_count": 0},
            {"uuid": HEX, "name": "Kept", "prices": {}, "archived": True, "resources_count": 2},
            {"uuid": HEX, "name": None, "prices": "odd"},
        ],
    }

    plans = parse_offering(row, "offering").plans

    assert [(plan.name, plan.is_used) for plan in plans] == [
        ("Standard", True),
        ("Old", False),
        ("Kept", True),
    ]
    assert plans[0].priced == {"cpu"}
    assert parse_offering({**row, "plans": None}, "offering").plans == ()


def test_a_role_counts_only_in_the_offering_and_the_organization_that_provides_it() -> None:
    def role(name: str, scope: str | None) -> dict[str, object]:
        shown = {"scope_type": "customer", "scope_name": "X", "scope_uuid": scope}
        return {"role_name": name, **shown}

    dashed = "ab" * 4 + "-" + "ab" * 2 + "-" + "ab" * 2 + "-" + "ab" * 2 + "-" + "ab" * 6
    me = {
        "is_staff": True,
        "permissions": [
            role("CUSTOMER.OWNER", "cd" * 16),
            role("CUSTOMER.MANAGER", dashed),
            role("CUSTOMER.SUPPORT", None),
        ],
    }

    rights = parse_rights(me, "me", ("ab" * 16,))

    assert [str(each) for each in rights.here] == ["CUSTOMER.MANAGER of customer X", "staff"]
    assert [each.name for each in rights.elsewhere] == ["CUSTOMER.OWNER", "CUSTOMER.SUPPORT"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(ORDER | RESOURCE)), json_values), json_values)
def test_no_answer_breaks_anything_but_its_own_reading(
    changes: dict[str, object], whole: object
) -> None:
    for row in (ORDER | changes, RESOURCE | changes, whole):
        for parse in (
            lambda raw: parse_order(raw, "orders"),
            lambda raw: parse_resource(raw, "resources", frozenset()),
            lambda raw: parse_offering(raw, "offering"),
            lambda raw: parse_offering_user(raw, "users"),
            lambda raw: parse_usage(raw, "usages"),
            lambda raw: parse_permission(raw, "permissions"),
            lambda raw: parse_rights(raw, "me", ()),
        ):
            try:
                parse(row)
            except UnexpectedPayload as error:
                said = str(error)
            else:
                continue
            assert said
