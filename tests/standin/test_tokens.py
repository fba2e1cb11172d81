"""What a token may: personal ones, and where servers differ in what a manager may do."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import requests

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
SET_USAGE = "marketplace-component-usages/set_usage/"
USAGES = "marketplace-component-usages/"
NOW = "2026-11-20T12:00:00Z"


def status_of(waldur: Waldur, authorization: str) -> int:
    answer = requests.get(
        f"{waldur.url}users/me/", headers={"Authorization": authorization}, timeout=10
    )
    return answer.status_code


def running(ask: Asking) -> str:
    ask.waldur.set_clock(datetime(2026, 11, 20, 12, 30, tzinfo=UTC))
    return ask.make_running()[1]


def test_today_a_personal_token_is_a_bearer_and_nothing_else(start_waldur: StartWaldur) -> None:
    waldur = start_waldur("today")
    personal, usual = waldur.make_personal_token(), waldur.tokens.provider
    assert personal.startswith("w_")
    found = [
        status_of(waldur, words)
        for words in (
            f"Bearer {personal}",
            f"Token {personal}",
            f"Bearer {personal}x",
            f"Bearer {usual}",
            f"Token {usual}",
        )
    ]
    assert found == [200, 401, 401, 401, 200]


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_older_dialects_know_no_bearer(start_waldur: StartWaldur, dialect: DialectName) -> None:
    waldur = start_waldur(dialect)
    assert status_of(waldur, f"Bearer {waldur.make_personal_token()}") == 401


def test_today_a_date_is_for_the_owner_of_the_provider_even_in_the_running_month(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    resource = running(ask)
    dated, bare = ask.usage(resource, NOW, cpu="1"), ask.usage(resource, cpu="2")
    refused = ask.post(SET_USAGE, dated, role="manager")
    assert refused.status_code == 400
    assert "Only staff users and service providers can specify date" in refused.text
    assert ask.post(SET_USAGE, bare, role="manager").status_code == 201
    for role in ("provider", "staff"):
        assert ask.post(SET_USAGE, dated, role=role).status_code == 201


def test_today_a_manager_of_the_provider_may_report_but_not_with_a_date(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    resource = running(ask)
    token = ask.waldur.make_provider_manager("maria")
    told = [
        requests.post(
            ask.waldur.url + SET_USAGE,
            json=ask.usage(resource, date, cpu="1"),
            headers={"Authorization": f"Token {token}"},
            timeout=10,
        ).status_code
        for date in (None, NOW)
    ]
    assert told == [201, 400]


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_older_dialects_pass_over_a_managers_date(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    body = ask.usage(running(ask), NOW, cpu="1")
    assert ask.post(SET_USAGE, body, role="manager").status_code == 201


def test_a_manager_reads_usage_everywhere_but_on_todays_older_servers(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    resource = running(ask)
    ask.report(resource, cpu="1")
    [usage] = ask.read(USAGES)
    body = {"username": "ann", "usage": "1"}
    path = f"{USAGES}{usage['uuid']}/set_user_usage/"
    if waldur_server.dialect == "today":
        assert ask.read(USAGES, role="manager") == []
        assert ask.post(path, body, role="manager").status_code == 404
        waldur_server.set_trait("managers_read_usage")
    assert len(ask.read(USAGES, role="manager")) == 1
    assert ask.post(path, body, role="manager").status_code == 201
    assert len(ask.read("marketplace-component-user-usages/", role="manager")) == 1


def test_older_dialects_hide_nobodys_usage(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    ask.report(running(ask), cpu="1")
    seen = ask.read(USAGES, role="stranger")
    assert len(seen) == (0 if waldur_server.dialect == "today" else 1)


def test_managers_approve_on_the_newest_servers_alone(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    project = ask.waldur.make_project(ask.waldur.make_customer("Org"), "Project")
    order = ask.waldur.order_create(project, "alloc")
    assert ask.on_order(order, "approve_by_provider", role="manager").status_code == 403
    ask.waldur.set_trait("managers_approve")
    assert ask.on_order(order, "approve_by_provider", role="manager").status_code == 200
    assert ask.on_order(order, "set_state_done", role="customer").status_code == 403
    token = ask.waldur.make_provider_manager("maria")
    path = f"{ask.waldur.url}marketplace-orders/{order.uuid}/set_state_done/"
    headers = {"Authorization": f"Token {token}"}
    assert requests.post(path, headers=headers, timeout=10).status_code == 200
