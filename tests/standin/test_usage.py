"""Usage: what Waldur books, to which month, and what it refuses."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
SET_USAGE = "marketplace-component-usages/set_usage/"
PAST = "2026-10-31T23:59:59Z"


def booked(waldur: Waldur) -> list[tuple[str, str, str]]:
    return [(row["billing_period"], row["type"], row["usage"]) for row in waldur.usages()]


def test_the_last_report_of_a_month_holds(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    waldur_server.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    for amount in ("10.50", "3"):
        assert ask.report(resource, cpu=amount).status_code == 201
    assert booked(waldur_server) == [("2026-11-01", "cpu", "3.00")]


def test_a_new_month_is_a_new_figure_and_the_date_header_tells_which(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    waldur_server.set_clock(datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC))
    answer = ask.report(resource, cpu="10")
    assert parsedate_to_datetime(answer.headers["Date"]).month == 11
    waldur_server.set_clock(datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC))
    answer = ask.report(resource, cpu="0")
    assert parsedate_to_datetime(answer.headers["Date"]).month == 12
    assert booked(waldur_server) == [
        ("2026-11-01", "cpu", "10.00"),
        ("2026-12-01", "cpu", "0.00"),
    ]


@pytest.mark.parametrize("amount", ["1.005", "123456789012345678901", "many", "NaN"])
def test_an_amount_that_is_not_two_decimals_is_refused(
    waldur_server: Waldur, asking: Asks, amount: str
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    assert ask.report(resource, cpu="1", mem=amount).status_code == 400
    assert booked(waldur_server) == []


def test_only_running_resources_take_usage(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    taken = []
    for state in ("Creating", "OK", "Updating", "Terminating", "Erred", "Terminated"):
        waldur_server.change("resources", resource, state=state)
        if ask.report(resource, cpu="1").status_code == 201:
            taken.append(state)
    assert taken == ["OK", "Updating", "Terminating"]


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_older_dialects_ignore_a_date_and_book_to_the_current_month(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    ask.waldur.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    assert ask.post(SET_USAGE, ask.usage(resource, PAST, cpu="4")).status_code == 201
    assert booked(ask.waldur) == [("2026-11-01", "cpu", "4.00")]


def test_today_a_date_books_a_limit_component_to_its_month(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.waldur.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    assert ask.post(SET_USAGE, ask.usage(resource, PAST, cpu="4")).status_code == 201
    assert booked(ask.waldur) == [("2026-10-01", "cpu", "4.00")]


def test_today_only_staff_dates_a_usage_component_and_nobody_reports_the_future(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    component = next(one for one in ask.waldur.components() if one["type"] == "cpu")
    ask.waldur.change("components", component["uuid"], billing_type="usage")
    ask.waldur.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    body = ask.usage(resource, PAST, cpu="4")
    refused = ask.post(SET_USAGE, body)
    assert refused.status_code == 400
    assert "backfilling past billing periods" in refused.text
    assert ask.post(SET_USAGE, body, role="staff").status_code == 201
    future = ask.post(SET_USAGE, ask.usage(resource, "2026-11-21T00:00:00Z", cpu="4"))
    assert (future.status_code, "future dates" in future.text) == (400, True)


def test_a_plan_period_that_ended_in_an_earlier_month_is_closed(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    period = ask.read(f"{ask.resources}/{resource}/plan_periods/")[0]["uuid"]
    waldur_server.change("plan_periods", period, end="2026-10-20T00:00:00Z")
    waldur_server.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    body = {"plan_period": period, "usages": [{"type": "cpu", "amount": "1"}]}
    refused = ask.post(SET_USAGE, body)
    assert (refused.status_code, refused.json()) == (
        400,
        {"plan_period": ["Billing period is closed."]},
    )


def test_usage_by_user_is_kept_by_name_the_last_word_holding(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    ask.report(resource, cpu="10")
    usage = ask.read("marketplace-component-usages/")[0]["uuid"]
    for amount in ("4", "5.50"):
        body = {"username": "ann", "usage": amount}
        path = f"marketplace-component-usages/{usage}/set_user_usage/"
        assert ask.post(path, body).status_code == 201
    held = [(row["username"], row["usage"]) for row in waldur_server.user_usages(resource)]
    assert held == [("ann", "5.50")]


def test_today_a_bulk_of_users_with_one_unknown_name_is_refused_whole_where_names_are_looked_at(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today", traits={"takes_any_username": False}))
    project, resource = ask.make_running()
    ask.waldur.set_offering_username(ask.waldur.members(project)[0], "ann")
    ask.report(resource, cpu="10")
    usage = ask.read("marketplace-component-usages/")[0]["uuid"]
    path = f"marketplace-component-usages/{usage}/set_user_usages/"
    known, unknown = ({"username": name, "usage": "1"} for name in ("ann", "nobody"))
    assert ask.post(path, {"usages": [known, unknown]}).status_code == 400
    assert ask.waldur.user_usages() == []
    assert ask.post(path, {"usages": [known]}).status_code == 201
    assert len(ask.waldur.user_usages()) == 1


def test_usage_of_a_month_is_listed_for_the_whole_offering(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    waldur_server.set_clock(datetime(2026, 11, 20, tzinfo=UTC))
    ask.report(resource, cpu="10", mem="2.5")
    path = f"marketplace-component-usages/?offering_uuid={waldur_server.offering_uuid}"
    found = ask.read(f"{path}&billing_period=2026-11-01")
    assert [(one["type"], one["usage"]) for one in found] == [("cpu", "10.00"), ("mem", "2.50")]
    assert ask.read(f"{path}&billing_period=2026-10-01") == []
