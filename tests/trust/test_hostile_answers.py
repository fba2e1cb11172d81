"""Whatever a Waldur answers is read as what its contract promises, or is one of our own errors."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.hostile import ANY_TEXT, fuzzed, refusal_of
from tests.trust.size import count
from tests.unit.agent.waldur.servers import says, scripted
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurError, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import OfferingUuid, ResourceUuid
from waldur_slurm.agent.waldur import paging
from waldur_slurm.agent.waldur.client import WaldurMarketplace
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Answer, Bounds
from waldur_slurm.agent.waldur.wire.offerings import parse_offering
from waldur_slurm.agent.waldur.wire.orders import parse_in_flight, parse_order
from waldur_slurm.agent.waldur.wire.people import (
    parse_association,
    parse_offering_user,
    parse_permission,
    parse_rights,
    parse_team_member,
)
from waldur_slurm.agent.waldur.wire.resources import parse_plan_period, parse_resource
from waldur_slurm.agent.waldur.wire.usages import parse_usage

UUID = "c0ffee" * 5 + "00"
PROJECT = {
    "project_uuid": UUID,
    "project_name": "Physics",
    "customer_uuid": UUID,
    "customer_name": "Science",
}
ROWS: Mapping[str, tuple[Callable[[object], object], dict[str, Any]]] = {
    "order": (
        lambda raw: parse_order(raw, "orders").created < datetime.now(UTC),
        {
            **PROJECT,
            "uuid": UUID,
            "type": "Create",
            "state": "executing",
            "created": "2026-11-21T03:18:49.944914Z",
            "resource_name": "alloc",
            "marketplace_resource_uuid": UUID,
            "limits": {"cpu": 5},
        },
    ),
    "resource": (
        lambda raw: parse_resource(raw, "resources", frozenset()),
        {
            **PROJECT,
            "uuid": UUID,
            "name": "alloc",
            "slug": "alloc",
            "state": "OK",
            "backend_id": "hpc_1",
            "limits": {"cpu": 5},
            "resource_type": "SLURM.Allocation",
            "resource_uuid": UUID,
            "paused": False,
        },
    ),
    "offering user": (
        lambda raw: parse_offering_user(raw, "offering users"),
        {"uuid": UUID, "user_uuid": UUID, "username": "ann", "is_restricted": False},
    ),
    "usage": (
        lambda raw: Fraction(parse_usage(raw, "usages").amount),
        {
            "uuid": UUID,
            "resource_uuid": UUID,
            "type": "cpu",
            "usage": "5.00",
            "billing_period": "2026-11-01",
        },
    ),
    "permission": (
        lambda raw: parse_permission(raw, "teams")[1].is_in(datetime.now(UTC)),
        {"project_uuid": UUID, "user_uuid": UUID, "expiration_time": "2026-11-01T00:00:00Z"},
    ),
    "team member": (
        lambda raw: parse_team_member(raw, "team").is_in(datetime.now(UTC)),
        {"uuid": UUID, "role": "PROJECT.MEMBER", "expiration_time": "2026-11-01T00:00:00Z"},
    ),
    "association": (
        lambda raw: parse_association(raw, "associations"),
        {"username": "ann", "allocation": f"http://waldur/api/slurm-allocations/{UUID}/"},
    ),
    "offering": (
        lambda raw: parse_offering(raw, "o"),
        {
            "uuid": UUID,
            "name": "HPC",
            "state": "Active",
            "type": "Marketplace.Slurm",
            "customer_uuid": UUID,
            "components": [
                {
                    "uuid": UUID,
                    "type": "cpu",
                    "name": "CPU",
                    "measured_unit": "hours",
                    "billing_type": "limit",
                }
            ],
            "plugin_options": {},
        },
    ),
    "user": (
        lambda raw: parse_rights(raw, "users/me", ()),
        {
            "permissions": [{"role_name": "OWNER", "scope_type": "customer", "scope_uuid": UUID}],
            "is_staff": False,
        },
    ),
    "plan period": (
        lambda raw: parse_plan_period(raw, "plan periods"),
        {"uuid": UUID, "end": None},
    ),
    "open order": (
        lambda raw: parse_in_flight([raw], "orders"),
        {"marketplace_resource_uuid": UUID},
    ),
}
ODD_JSON = (
    b"NaN",
    b"1e999",
    b"-Infinity",
    b"1e-400",
    b"9" * 4000,
    b'"1e999999999"',
    b'"1e-999999999"',
    b'"2026-11-01T00:00:00"',
    b'"0001-01-01T00:00:00+14:00"',
    b'"9999-12-31T23:59:59-14:00"',
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\xff\xfe"',
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b'{"uuid":1,"uuid":2}',
    b"",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
VALUE = st.sampled_from(ODD_JSON) | JSON.map(lambda value: json.dumps(value).encode())
ADDRESS = st.sampled_from(
    (
        "http://[bad",
        "http://waldur:99999/api/?page=2",
        "file:///etc/passwd",
        "//evil.example/?page=2",
        "?page=2",
        "?page=" + "9" * 5000,
        "?" + "&".join(f"a{n}=1" for n in range(2000)),
    )
)


def with_field(row: Mapping[str, Any], field: str, value: bytes) -> bytes:
    """The row as JSON, one field replaced by bytes that need not be JSON at all."""
    text = json.dumps({**row, field: "THE VALUE"})
    return text.encode().replace(b'"THE VALUE"', value)


def answer(body: bytes, **headers: str) -> Answer:
    return Answer("GET x", 200, {name.replace("_", "-"): v for name, v in headers.items()}, body)


@pytest.mark.parametrize("kind", ROWS)
@given(data=st.data())
@fuzzed(50, 20_000)
def test_a_row_with_anything_in_a_field(kind: str, data: st.DataObject) -> None:
    parse, row = ROWS[kind]
    field = data.draw(st.sampled_from(sorted(row)))
    body = with_field(row, field, data.draw(VALUE))
    count("hostile text: answered by Waldur")
    refused = refusal_of(UnexpectedPayload, lambda: parse(paging.decoded(answer(body))))
    assert len(refused) < 500, "a refusal floods the log"


@pytest.mark.parametrize("kind", ROWS)
def test_the_rows_themselves_are_read(kind: str) -> None:
    parse, row = ROWS[kind]
    parse(paging.decoded(answer(json.dumps(row).encode())))


def as_it_is(row: object) -> object:
    return row


@given(
    body=VALUE | st.binary(max_size=50) | st.just(b'[{"uuid": 1}]'),
    number=st.sampled_from(("1", "2", "-1", "", "\u0663", "9" * 9, "9" * 5000)) | ANY_TEXT,
    link=ANY_TEXT
    | ADDRESS.map(lambda url: f'<{url}>; rel="next"')
    | ADDRESS.map(lambda url: f"<{url}>; rel=next, <>; rel"),
)
@fuzzed(150, 100_000)
def test_a_list_with_anything_in_its_headers(body: bytes, number: str, link: str) -> None:
    count("hostile text: headers")

    def read() -> None:
        found = paging.read_all(
            lambda _: answer(body, X_Result_Count=number, Link=link), {}, as_it_is
        )
        assert len(found) == int(number)

    assert len(refusal_of(WaldurError, read)) < 500


def test_a_list_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_BYTES", 5_000)
    asked: list[object] = []

    def ask(query: Mapping[str, object]) -> Answer:
        asked.append(query)
        number = len(asked)
        body = json.dumps([{"uuid": number}]).encode()
        return answer(body, X_Result_Count="9" * 9, Link=f'<?page={number + 1}>; rel="next"')

    with pytest.raises(UnexpectedPayload, match="for ever"):
        paging.read_all(ask, {}, as_it_is)
    assert len(asked) < 500

    asked.clear()
    monkeypatch.setattr(paging, "MOST_BYTES", 10**9)
    monkeypatch.setattr(paging, "MOST_PAGES", 20)
    with pytest.raises(UnexpectedPayload, match="for ever"):
        paging.read_all(ask, {}, as_it_is)


def test_more_rows_than_were_promised_are_not_collected() -> None:
    asked: list[object] = []

    def ask(query: Mapping[str, object]) -> Answer:
        asked.append(query)
        number = query.get("page", 1)
        assert isinstance(number, int)
        return answer(
            json.dumps([{"uuid": f"{len(asked)}-{n}"} for n in range(10)]).encode(),
            X_Result_Count="15",
            Link=f'<?page={number + 1}>; rel="next"',
        )

    with pytest.raises(WaldurUnreachable, match="promised 15"):
        paging.read_all(ask, {}, as_it_is)
    assert len(asked) == 4, "two readings of two pages"


@pytest.mark.parametrize(
    "amount", ["1e999999999", "1e-999999999", "0e999999999", "1" * 30, "sNaN", "-Infinity"]
)
def test_an_amount_that_cannot_be_calculated_with_is_refused(amount: str) -> None:
    row = {**ROWS["usage"][1], "usage": amount}
    with pytest.raises(UnexpectedPayload, match="not an amount"):
        parse_usage(row, "usages")


@pytest.mark.parametrize("amount", ["0", "0.00", "54.00", "12345678901234567890.12", 7, 0.1, 1e-7])
def test_what_waldur_keeps_of_usage_is_read(amount: str | float) -> None:
    held = parse_usage({**ROWS["usage"][1], "usage": amount}, "usages")
    assert held.amount == Decimal(str(amount))
    assert held.resource == ResourceUuid(UUID)


@pytest.mark.parametrize(
    "location",
    ["http://[bad", "http://127.0.0.1:99999/", "//", "", "file:///etc/passwd", "\\\\evil", "x:y"],
)
def test_a_redirect_to_anywhere_is_an_error_of_ours(location: str) -> None:
    with scripted(says(b"", "302 Found", Location=location)) as server:
        session = session_for(server.url)
        with pytest.raises(WaldurUnreachable):
            session.rows("anything", {}, as_it_is)
        session.close()
    count("hostile redirect")


@pytest.mark.parametrize(
    "date",
    [
        "garbage",
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Mon, 01 Jan 2026 00:00:00 +99999999",
        "9" * 5000,
    ],
)
def test_a_date_that_is_none_is_no_time(date: str) -> None:
    with scripted(says(b"{}", Date=date)) as server:
        session = session_for(server.url)
        session.find(f"{server.url}x/")
        found = WaldurMarketplace(session, OfferingUuid(UUID)).server_time
        session.close()
    assert found is None or found.tzinfo is not None


def session_for(url: str) -> WaldurSession:
    bounds = Bounds(connect=5.0, read=20.0, whole=30.0)
    return WaldurSession(url, "t" * 40, user_agent="test", bounds=bounds, sleep=lambda _: None)
