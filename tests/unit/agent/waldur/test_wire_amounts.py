"""What is sold and what was used, row by row: each figure as it is written, of what it is of."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.makers import component
from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.agent.model.marketplace import RowKind, Unreadable
from waldur_slurm.agent.waldur.wire.offerings import (
    component_to_wire,
    parse_offering,
    parse_offering_type,
)
from waldur_slurm.agent.waldur.wire.resources import (
    parse_plan_period,
    parse_resource,
    parse_resource_row,
)
from waldur_slurm.agent.waldur.wire.usages import parse_usage, parse_user_usage
from waldur_slurm.model.period import Month

HEX = "f47ac10b58cc4372a5670e02b2c3d479"
DASHED = "F47AC10B-58CC-4372-A567-0E02B2C3D479"
OTHER = f"{7:032x}"

USAGE: dict[str, Any] = {
    "uuid": DASHED,
    "resource_uuid": OTHER,
    "type": "cpu",
    "usage": "14.10",
    "billing_period": "2026-11-01",
}
USER_USAGE: dict[str, Any] = {
    "component_usage": f"http://waldur/api/marketplace-component-usages/{DASHED}/",
    "username": "ann",
    "usage": "3.50",
}
RESOURCE: dict[str, Any] = {
    "uuid": HEX,
    "name": "alloc",
    "slug": "alloc-1",
    "state": "OK",
    "backend_id": "hpc_alloc",
    "limits": {"cpu": 5},
    "project_uuid": OTHER,
    "project_name": "Physics",
    "customer_uuid": OTHER,
    "customer_name": "Science",
}
OFFERED: dict[str, Any] = {
    "uuid": DASHED,
    "type": "cpu",
    "name": "CPU",
    "measured_unit": "hours",
    "billing_type": "limit",
}
OFFERING: dict[str, Any] = {
    "uuid": DASHED,
    "name": "Cluster",
    "state": "Active",
    "type": "Marketplace.Slurm",
    "customer_uuid": OTHER,
    "components": [OFFERED],
}


def amount(written: object) -> Decimal:
    return parse_usage(USAGE | {"usage": written}, "usages").amount


def test_usage_is_of_its_resource_component_and_month() -> None:
    held = parse_usage(USAGE, "usages")

    assert (held.uuid, held.resource, held.component) == (HEX, OTHER, "cpu")
    assert (held.month, held.amount) == (Month(2026, 11), Decimal("14.10"))


def test_a_server_that_makes_totals_is_known_by_one_field_whatever_it_holds() -> None:
    assert not parse_usage(USAGE, "usages").is_of_total
    for policy in (None, "", "keep"):
        assert parse_usage(USAGE | {"missing_usage_policy": policy}, "usages").is_of_total


@pytest.mark.parametrize(
    "written", ["1e20", "9.99e20", "-3.5", "0", "1e-20", "0." + "0" * 19 + "1"]
)
def test_an_amount_of_some_twenty_digits_is_exact(written: str) -> None:
    assert amount(written) == Decimal(written)
    assert amount("0" * 63 + "1") == 1


@pytest.mark.parametrize(
    "written", ["1e21", "1e-21", "1e999999999", "0" * 64 + "1", "sNaN", "-inf", ""]
)
def test_an_amount_beyond_that_is_refused(written: str) -> None:
    with pytest.raises(UnexpectedPayload, match="usages: not an amount"):
        amount(written)


@pytest.mark.parametrize("period", ["2026-13-01", "November", "2026-11", ""])
def test_a_billing_period_that_is_no_day_is_refused(period: str) -> None:
    with pytest.raises(UnexpectedPayload, match="usages: not a billing period"):
        parse_usage(USAGE | {"billing_period": period}, "usages")


def test_usage_of_a_person_is_of_the_usage_it_belongs_to() -> None:
    held = parse_usage(USAGE, "usages")

    found = parse_user_usage(USER_USAGE, "users", {HEX: held})

    assert found is not None
    assert (found.usage, found.resource, found.component) == (HEX, OTHER, "cpu")
    assert (found.month, found.username, found.amount) == (held.month, "ann", Decimal("3.50"))
    assert parse_user_usage(USER_USAGE, "users", {OTHER: replace(held, uuid=OTHER)}) is None


def test_a_resource_is_read_whole() -> None:
    plain = parse_resource(RESOURCE, "resources", frozenset())
    assert (plain.uuid, plain.name, plain.slug) == (HEX, "alloc", "alloc-1")
    assert (plain.project.uuid, plain.limits) == (OTHER, {"cpu": 5})
    assert not any((plain.is_paused, plain.is_downscaled, plain.is_restricted))
    assert parse_resource(RESOURCE | {"limits": None}, "r", frozenset()).limits == {}
    for field, flags in (
        ("paused", (True, False, False)),
        ("downscaled", (False, True, False)),
        ("restrict_member_access", (False, False, True)),
    ):
        found = parse_resource(RESOURCE | {field: True}, "resources", frozenset())
        assert (found.is_paused, found.is_downscaled, found.is_restricted) == flags


def test_a_resource_that_cannot_be_read_stands_alone() -> None:
    assert parse_resource_row(RESOURCE, "r", frozenset()) == parse_resource(
        RESOURCE, "r", frozenset()
    )
    found = parse_resource_row(RESOURCE | {"limits": "plenty"}, "r", frozenset())
    assert isinstance(found, Unreadable)
    assert (found.kind, found.uuid) == (RowKind.RESOURCE, HEX)
    with pytest.raises(UnexpectedPayload):
        parse_resource_row(RESOURCE | {"uuid": 7}, "r", frozenset())


def test_a_plan_period_is_open_until_it_has_an_end() -> None:
    assert parse_plan_period({"uuid": DASHED, "end": None}, "periods") == (True, HEX)
    ended = {"uuid": DASHED, "end": "2026-11-21T12:00:00Z"}
    assert parse_plan_period(ended, "periods") == (False, HEX)


def test_what_the_offering_holds_of_a_component_is_read_whole() -> None:
    more = {
        "limit_amount": 0,
        "limit_period": "",
        "description": "cores",
        "article_code": "A1",
        "min_value": 0,
        "max_value": 7.5,
    }
    offering = parse_offering(OFFERING | {"components": [OFFERED | more]}, "offering")
    (held,) = offering.components

    assert (offering.uuid, offering.customer_uuid, offering.state) == (HEX, OTHER, "Active")
    assert (held.uuid, held.type, held.billing_type) == (HEX, "cpu", AccountingType.LIMIT)
    assert (held.limit_amount, held.limit_period) == (0, None)
    assert (held.description, held.article_code) == ("cores", "A1")
    assert (held.min_value, held.max_value) == (0, 7.5)
    monthly = OFFERED | {"limit_period": "month"}
    (other,) = parse_offering(OFFERING | {"components": [monthly]}, "offering").components
    assert (other.limit_amount, other.limit_period) == (None, "month")
    assert parse_offering_type(OFFERING, "offering") == "Marketplace.Slurm"


@pytest.mark.parametrize("option", ["true", 1, None, False])
def test_only_a_plain_yes_asks_for_memberships(option: object) -> None:
    options = {"enable_membership_sync_status": option}
    row = OFFERING | {"plugin_options": options}
    assert not parse_offering(row, "offering").wants_memberships
    assert not parse_offering(OFFERING | {"plugin_options": None}, "o").wants_memberships


def test_a_component_is_told_with_what_the_file_says_and_nothing_else() -> None:
    plain = component("cpu")
    required = {
        "billing_type": "limit",
        "type": "cpu",
        "name": "cpu",
        "measured_unit": "hours",
        "limit_amount": 1000,
    }

    assert component_to_wire(plain) == required
    full = replace(plain, limit=0, limit_period="month", min_value=0, max_value=9, description="d")
    assert component_to_wire(full) == required | {
        "limit_amount": 0,
        "limit_period": "month",
        "description": "d",
        "min_value": 0,
        "max_value": 9,
    }
