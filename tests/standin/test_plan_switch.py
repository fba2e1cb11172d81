"""Usage where a plan was switched, where there is none, and where a bill may still change."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
SET_USAGE = "marketplace-component-usages/set_usage/"
PAST = "2026-10-31T12:00:00Z"


@pytest.fixture
def switched(waldur_server: Waldur, asking: Asks) -> tuple[Asking, str]:
    """A resource that had used 10 on its first plan, and is on its second now."""
    ask = asking(waldur_server)
    waldur_server.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    _, resource = ask.make_running()
    ask.report(resource, cpu="10")
    waldur_server.switch_plan(resource, "Cheaper")
    return ask, resource


def amounts(ask: Asking) -> list[str]:
    return [row["usage"] for row in ask.read("marketplace-component-usages/")]


def test_a_switch_ends_a_plan_period_and_begins_another(switched: tuple[Asking, str]) -> None:
    ask, resource = switched
    periods = ask.read(f"{ask.resources}/{resource}/plan_periods/")
    assert [(one["plan_name"], one["end"] is None) for one in periods] == [
        ("Default", False),
        ("Cheaper", True),
    ]
    assert ask.read(f"{ask.resources}/{resource}/")["plan_name"] == "Cheaper"


def test_after_a_switch_a_month_is_several_rows_of_which_today_makes_one_total(
    switched: tuple[Asking, str],
) -> None:
    ask, resource = switched
    is_today = ask.waldur.dialect == "today"
    ask.report(resource, cpu="14")
    assert amounts(ask) == (["10.00", "4.00"] if is_today else ["10.00", "14.00"])
    ask.report(resource, cpu="8")
    assert amounts(ask) == (["10.00", "0.00"] if is_today else ["10.00", "8.00"])


def test_rows_name_a_policy_for_months_without_a_report_where_they_make_a_total(
    switched: tuple[Asking, str],
) -> None:
    ask, resource = switched
    for is_total in (True, False):
        if ask.waldur.dialect == "today":
            ask.waldur.set_trait("month_totals", is_total)
        ask.report(resource, cpu="14")
        [_, row] = ask.read("marketplace-component-usages/")
        names_it = is_total and ask.waldur.dialect == "today"
        assert row.get("missing_usage_policy") == ("none" if names_it else None)
        assert row["usage"] == ("4.00" if names_it else "14.00")


@pytest.mark.parametrize(("dialect", "status"), [("today", 400), ("transition", 201)])
def test_today_a_resource_without_a_plan_takes_no_usage(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName, status: int
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    ask.waldur.change("resources", resource, plan=None)
    answer = ask.report(resource, cpu="1")
    assert answer.status_code == status
    assert ("must have a plan" in answer.text) == (status == 400)
    shown = ask.read(f"{ask.resources}/{resource}/")
    assert shown["plan"] is None


def test_today_past_usage_is_taken_while_the_customers_bill_may_still_change(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    ask.waldur.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    project, resource = ask.make_running()
    [cpu] = [one for one in ask.waldur.components() if one["type"] == "cpu"]
    ask.waldur.change("components", cpu["uuid"], billing_type="usage")
    customer = ask.waldur.store.named("projects", project)["customer"]
    body = ask.usage(resource, PAST, cpu="4")
    told = [ask.post(SET_USAGE, body).status_code]
    ask.waldur.keep_invoice_open(customer, "2026-10-01")
    told.append(ask.post(SET_USAGE, body).status_code)
    ask.waldur.keep_invoice_open(customer, "2026-10-01", is_open=False)
    told.append(ask.post(SET_USAGE, body).status_code)
    assert told == [400, 201, 400]


def test_today_usage_by_user_is_taken_for_names_that_nobody_has(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.report(resource, cpu="10")
    usage = ask.read("marketplace-component-usages/")[0]["uuid"]
    path = f"marketplace-component-usages/{usage}/set_user_usages/"

    def told(name: str) -> int:
        body: dict[str, Any] = {"usages": [{"username": name, "usage": "1"}]}
        return ask.post(path, body).status_code

    assert [told("nobody"), told("n" * 100), told("n" * 101)] == [201, 201, 400]
    assert len(ask.waldur.user_usages(resource)) == 2
