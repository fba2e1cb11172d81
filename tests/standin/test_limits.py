"""Limits: what Waldur makes of a change of them, and when it refuses or forgets one."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
OLDER: tuple[DialectName, ...] = ("transition", "classic")
UNPRICED = {"traits": {"every_component_has_a_price": False}}
older = pytest.mark.parametrize("dialect", OLDER)


def component(waldur: Waldur, kind: str = "cpu", **columns: object) -> None:
    [found] = [one for one in waldur.components() if one["type"] == kind]
    waldur.change("components", found["uuid"], **columns)


def set_limits(ask: Asking, resource: str, **limits: int) -> int:
    if ask.waldur.dialect == "today":
        return ask.on_resource(resource, "set_limits", {"limits": limits}).status_code
    return ask.on_allocation(resource, "set_limits", limits).status_code


def shown(ask: Asking, resource: str) -> dict[str, object]:
    found: dict[str, object] = ask.read(f"{ask.resources}/{resource}/")
    return found


@older
def test_a_limit_component_without_a_price_makes_a_change_of_limits_fail(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect, **UNPRICED))
    _, resource = ask.make_running({"mem": 5})
    component(ask.waldur, limit_period="month")
    ask.waldur.set_price("cpu", None)
    answer = ask.on_allocation(resource, "set_limits", {"cpu": 1, "mem": 5})
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (500, "text/html")
    assert ask.waldur.resource(resource)["limits"] == {"mem": 5}
    ask.waldur.set_price("cpu")
    assert set_limits(ask, resource, cpu=1, mem=5) == 200
    assert ask.waldur.resource(resource)["limits"] == {"cpu": 1, "mem": 5}


@older
def test_while_it_is_created_a_resource_takes_limits_without_a_price(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect, **UNPRICED))
    ask.waldur.set_price("cpu", None)
    project = ask.waldur.make_project(ask.waldur.make_customer("Org"), "Project")
    order = ask.waldur.order_create(project, "alloc", {"cpu": 5})
    ask.on_order(order, "approve_by_provider")
    ask.await_allocation(order)
    assert set_limits(ask, order.resource_uuid, cpu=6) == 200


@older
def test_without_a_price_an_update_cannot_be_done_either(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect, **UNPRICED))
    _, resource = ask.make_running({"cpu": 5})
    ask.waldur.set_price("cpu", None)
    order = ask.waldur.order_update(resource, {"cpu": 7})
    ask.on_order(order, "approve_by_provider")
    assert ask.on_order(order, "set_state_done").status_code == 500
    held = ask.waldur.resource(resource)
    assert (held["state"], held["limits"]) == ("Updating", {"cpu": 5})
    assert ask.waldur.order(order.uuid)["state"] == "executing"


def test_today_only_a_limit_for_life_needs_its_price(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today", **UNPRICED))
    _, resource = ask.make_running({"cpu": 5})
    ask.waldur.set_price("cpu", None)
    assert set_limits(ask, resource, cpu=6) == 500
    component(ask.waldur, limit_period="month")
    assert set_limits(ask, resource, cpu=6) == 200


def test_prices_are_set_by_the_provider_and_shown_by_the_plan(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("transition", **UNPRICED))
    body = {"type": "node", "name": "Node", "billing_type": "limit"}
    offering = f"marketplace-provider-offerings/{ask.waldur.offering_uuid}/"
    ask.post(f"{offering}create_offering_component/", body)
    [plan] = ask.read(offering)["plans"]
    assert plan["prices"] == {"cpu": 0.0, "gpu": 0.0, "mem": 0.0}
    path = f"marketplace-plans/{plan['uuid']}/update_prices/"
    assert ask.post(path, {"prices": {"zzz": "1"}}).status_code == 400
    assert ask.post(path, {"prices": {"node": "0.5"}}, role="manager").status_code == 403
    assert ask.post(path, {"prices": {"node": "0.5"}}).status_code == 200
    [plan] = ask.read(offering)["plans"]
    assert plan["prices"] == {"cpu": 0.0, "gpu": 0.0, "mem": 0.0, "node": 0.5}


@pytest.mark.parametrize(
    ("period", "word"), [("month", "Monthly"), ("annual", "Annual"), ("total", "Total")]
)
def test_all_orders_together_stay_within_the_amount_of_the_offering(
    waldur_server: Waldur, asking: Asks, period: str, word: str
) -> None:
    """As recorded: what the resource has already counts once more against its own update."""
    ask = asking(waldur_server)
    _, resource = ask.make_running({"cpu": 60})
    component(waldur_server, limit_period=period, limit_amount=100)
    text = f"{word} limit exceeds threshold 100."
    path = f"marketplace-resources/{resource}/update_limits/"
    refused = ask.post(path, {"limits": {"cpu": 50}}, role="customer")
    assert (refused.status_code, refused.json()) == (400, [text])
    project = waldur_server.make_project(waldur_server.make_customer("Other"), "Other")
    at = "http://waldur/api/"
    public = f"{at}marketplace-public-offerings/{waldur_server.offering_uuid}/"
    body = {
        "offering": public,
        "plan": f"{public}plans/{waldur_server.resource(resource)['plan']}/",
        "project": f"{at}projects/{project}/",
        "attributes": {"name": "other"},
        "limits": {"cpu": 41},
    }
    refused = ask.post("marketplace-orders/", body, role="customer")
    assert (refused.status_code, refused.json()) == (400, {"non_field_errors": [text]})
    body["limits"] = {"cpu": 40}
    assert ask.post("marketplace-orders/", body, role="customer").status_code == 201


def test_limits_that_were_reported_count_against_the_customers_who_order(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running({"mem": 1})
    component(waldur_server, limit_period="month", limit_amount=100)
    assert set_limits(ask, resource, cpu=100, mem=1) == 200
    path = f"marketplace-resources/{resource}/update_limits/"
    refused = ask.post(path, {"limits": {"cpu": 1, "mem": 1}}, role="customer")
    assert refused.json() == ["Monthly limit exceeds threshold 100."]


def test_a_month_and_a_period_that_is_none_forget_and_allow(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    waldur_server.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    _, resource = ask.make_running({"cpu": 60})
    component(waldur_server, limit_period="month", limit_amount=100)
    waldur_server.set_clock(datetime(2026, 12, 1, tzinfo=UTC))
    path = f"marketplace-resources/{resource}/update_limits/"
    assert ask.post(path, {"limits": {"cpu": 100}}, role="customer").status_code == 200
    waldur_server.cancel(waldur_server.orders(resource)[-1]["uuid"])
    component(waldur_server, limit_period=None, limit_amount=1)
    assert ask.post(path, {"limits": {"cpu": 1000}}, role="customer").status_code == 200


@older
def test_of_a_monthly_limit_the_page_shows_what_the_last_report_said_of_it(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running({"cpu": 5, "mem": 5})
    component(ask.waldur, limit_period="month")
    component(ask.waldur, "mem", limit_period=None)
    ask.report(resource, cpu="2", mem="3", gpu="1")
    assert shown(ask, resource)["limit_usage"] == {"cpu": 2.0, "mem": 3.0, "gpu": 1.0}
    ask.report(resource, cpu="4")
    assert shown(ask, resource)["limit_usage"] == {"cpu": 4.0, "mem": None, "gpu": 1.0}
    assert shown(ask, resource)["current_usages"] == {"cpu": "4.00"}
    rows = {row["type"]: row["usage"] for row in ask.waldur.usages(resource)}
    assert rows == {"cpu": "4.00", "mem": "3.00", "gpu": "1.00"}


def test_today_a_partial_report_leaves_the_rest_where_servers_remember_it(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    for remembers, left in ((True, {"cpu": 4.0, "mem": 3.0}), (False, {"cpu": 4.0})):
        ask = asking(start_waldur("today", traits={"merges_current_usages": remembers}))
        _, resource = ask.make_running()
        ask.report(resource, cpu="2", mem="3")
        ask.report(resource, cpu="4")
        assert shown(ask, resource)["current_usages"] == left


def test_today_a_policy_keeps_limits_and_bounds_clamp_them_with_a_200(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running({"cpu": 5, "mem": 5})
    ask.waldur.govern_limits("cpu")
    assert set_limits(ask, resource, cpu=9, mem=9) == 200
    assert ask.waldur.resource(resource)["limits"] == {"cpu": 5, "mem": 9}
    component(ask.waldur, "mem", max_value=7, min_value=2)
    for told, kept in ((9, 7), (1, 2)):
        assert set_limits(ask, resource, cpu=5, mem=told) == 200
        assert ask.waldur.resource(resource)["limits"] == {"cpu": 5, "mem": kept}
    answer = ask.on_resource(resource, "set_limits", {"limits": {"cpu": 5, "mem": 2}})
    assert "unchanged" in answer.text


def test_today_limits_of_unknown_components_and_below_zero_are_refused(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running({"cpu": 5})
    for limits in ({"cpu": 6, "zzz": 1}, {"cpu": -1}):
        assert ask.on_resource(resource, "set_limits", {"limits": limits}).status_code == 400
        path = f"marketplace-resources/{resource}/update_limits/"
        assert ask.post(path, {"limits": limits}, role="customer").status_code == 400
    assert ask.waldur.resource(resource)["limits"] == {"cpu": 5}
