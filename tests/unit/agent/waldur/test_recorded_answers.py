"""What real Masterminds answered reads as values: every recorded row that this project asks for."""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.places import RECORDED
from waldur_slurm.agent.model.marketplace import OrderState, OrderType, ResourceState
from waldur_slurm.agent.waldur.wire.offerings import parse_offering
from waldur_slurm.agent.waldur.wire.orders import parse_order
from waldur_slurm.agent.waldur.wire.people import (
    parse_association,
    parse_offering_user,
    parse_permission,
    parse_rights,
    parse_team_member,
)
from waldur_slurm.agent.waldur.wire.reading import parse_uuid
from waldur_slurm.agent.waldur.wire.resources import parse_plan_period, parse_resource
from waldur_slurm.agent.waldur.wire.usages import parse_usage

EXCHANGES = [
    json.loads(line)
    for file in sorted((RECORDED / "waldur").glob("*.jsonl"))
    for line in file.read_text().splitlines()
]

READERS: dict[str, Callable[[object], object]] = {
    "marketplace-orders/": lambda row: parse_order(row, "order"),
    "marketplace-resources/": lambda row: parse_resource(row, "resource", frozenset()),
    "marketplace-provider-resources/": lambda row: parse_resource(row, "resource", frozenset()),
    "marketplace-provider-offerings/": lambda row: parse_offering(row, "offering"),
    "marketplace-offering-users/": lambda row: parse_offering_user(row, "users"),
    "marketplace-component-usages/": lambda row: parse_usage(row, "usages"),
    "marketplace-service-providers/project_permissions/": lambda row: parse_permission(
        row, "project permissions"
    ),
    "marketplace-service-providers/": lambda row: parse_uuid(row, "providers"),
    "slurm-associations/": lambda row: parse_association(row, "associations"),
    "users/me/": lambda row: parse_rights(row, "me", ()),
    "team/": lambda row: parse_team_member(row, "team"),
    "plan_periods/": lambda row: parse_plan_period(row, "plan periods"),
}


def read_recorded() -> Counter[str]:
    """How many rows were read by endpoint; answers to a selection of fields are left out."""
    read: Counter[str] = Counter()
    for exchange in EXCHANGES:
        endpoint = endpoint_of(exchange)
        if endpoint in READERS:
            rows: Any = exchange["response"]
            for row in rows if isinstance(rows, list) else [rows]:
                READERS[endpoint](row)
                read[endpoint] += 1
    return read


def endpoint_of(exchange: dict[str, Any]) -> str:
    is_whole = "field=" not in (exchange["query"] or "")
    if exchange["method"] != "GET" or exchange["status"] != 200 or not is_whole:
        return ""
    path: str = re.sub(r"[0-9a-f]{32}/", "", exchange["path"])
    return path.rpartition("resources/")[2] or path


def test_every_recorded_row_is_read() -> None:
    assert read_recorded().keys() == READERS.keys()


def test_no_recorded_state_or_type_is_unknown() -> None:
    for exchange in EXCHANGES:
        if endpoint_of(exchange) == "marketplace-orders/":
            rows = exchange["response"]
            for row in rows if isinstance(rows, list) else [rows]:
                order = parse_order(row, "order")
                assert order.state is not OrderState.OTHER
                assert order.type is not OrderType.OTHER
        if endpoint_of(exchange).endswith("resources/"):
            rows = exchange["response"]
            for row in rows if isinstance(rows, list) else [rows]:
                resource = parse_resource(row, "resource", frozenset())
                assert resource.state is not ResourceState.OTHER
