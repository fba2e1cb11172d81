"""The fault switch: each kind does what it says, to the calls it names and to no others."""

import time
from collections.abc import Callable

import pytest
import requests

from sandbox.waldur import Fault, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
ME = "GET users/me/"
APPROVE = "POST marketplace-orders/*/approve_by_provider/"


@pytest.fixture
def ask(start_waldur: StartWaldur, asking: Asks) -> Asking:
    return asking(start_waldur("today"))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 502, 503])
def test_a_status_is_answered_without_acting(ask: Asking, status: int) -> None:
    project = ask.waldur.make_project(ask.waldur.make_customer("Org"), "Project")
    order = ask.waldur.order_create(project, "alloc")
    ask.waldur.fault(Fault(APPROVE, "status", value=status))
    answer = ask.on_order(order, "approve_by_provider")
    assert answer.status_code == status
    assert ("html" in answer.headers["Content-Type"]) == (status == 404 or status >= 500)
    assert ask.waldur.order(order.uuid)["state"] == "pending-provider"


def test_only_the_nth_call_of_the_route_meets_the_fault(ask: Asking) -> None:
    ask.waldur.fault(Fault(ME, "status", nth=2, value=503))
    statuses = []
    for path in ("users/me/", "marketplace-orders/", "users/me/", "users/me/"):
        statuses.append(ask.request("GET", path).status_code)
    assert statuses == [200, 200, 503, 200]


def test_the_count_goes_on_over_a_restart(ask: Asking) -> None:
    ask.waldur.fault(Fault(ME, "status", nth=2, value=503))
    ask.request("GET", "users/me/")
    ask.waldur.restart()
    assert ask.request("GET", "users/me/").status_code == 503


def test_cleared_faults_are_gone(ask: Asking) -> None:
    ask.waldur.fault(Fault("* **", "status", value=503))
    assert ask.request("GET", "users/me/").status_code == 503
    ask.waldur.clear_faults()
    assert ask.request("GET", "users/me/").status_code == 200


def test_a_delay_answers_late_and_keeps_nobody_else_waiting(ask: Asking) -> None:
    ask.waldur.fault(Fault(ME, "delay", value=0.4))
    began = time.monotonic()
    assert ask.request("GET", "users/me/").status_code == 200
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(
    ("kind", "state"), [("drop_before", "pending-provider"), ("drop_after", "executing")]
)
def test_a_dropped_call_has_acted_or_not_as_its_name_says(
    ask: Asking, kind: str, state: str
) -> None:
    project = ask.waldur.make_project(ask.waldur.make_customer("Org"), "Project")
    order = ask.waldur.order_create(project, "alloc")
    ask.waldur.fault(Fault(APPROVE, kind))  # type: ignore[arg-type]  # one of the kinds, as text
    with pytest.raises(requests.ConnectionError):
        ask.on_order(order, "approve_by_provider")
    assert ask.waldur.order(order.uuid)["state"] == state
    assert ask.waldur.requests()[-1].status == 0


def test_a_truncated_body_ends_before_its_length(ask: Asking) -> None:
    ask.waldur.fault(Fault(ME, "truncate"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask.request("GET", "users/me/")


def test_wrong_types_keep_the_keys_and_break_every_promise(ask: Asking) -> None:
    ask.make_running()
    promised = ask.read(f"{ask.resources}/")[0]
    ask.waldur.fault(Fault(f"GET {ask.resources}/", "wrong_types"))
    broken = ask.read(f"{ask.resources}/")[0]
    assert broken.keys() == promised.keys()
    assert [key for key in broken if type(broken[key]) is type(promised[key])] == []


def test_a_redirect_leads_elsewhere(ask: Asking) -> None:
    ask.waldur.fault(Fault(ME, "redirect", value="http://127.0.0.1:9/stolen/"))
    answer = ask.request("GET", "users/me/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/stolen/")


def test_throttling_says_when_to_come_back(ask: Asking) -> None:
    ask.waldur.fault(Fault(ME, "retry_after", nth=1, value=7))
    answer = ask.request("GET", "users/me/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert ask.request("GET", "users/me/").status_code == 200


def test_an_empty_list_looks_healthy(ask: Asking) -> None:
    ask.make_running()
    ask.waldur.fault(Fault(f"GET {ask.resources}/", "empty_list"))
    answer = ask.request("GET", f"{ask.resources}/")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["X-Result-Count"] == "0"
    assert len(ask.waldur.resources()) == 1


def test_half_a_list_looks_healthy(ask: Asking) -> None:
    ask.waldur.seed(3)
    ask.waldur.fault(Fault(f"GET {ask.resources}/", "half_list"))
    answer = ask.request("GET", f"{ask.resources}/?page_size=2")
    assert (answer.status_code, len(answer.json())) == (200, 1)
    assert answer.headers["X-Result-Count"] == "1"
    assert "Link" not in answer.headers
    assert len(ask.waldur.resources()) == 3
