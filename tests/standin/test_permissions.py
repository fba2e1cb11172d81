"""Who may do what, in every dialect: the same table of roles."""

from collections.abc import Callable

import pytest

from sandbox.waldur import Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
ROLES = ("provider", "manager", "customer", "stranger", "staff")


def statuses(ask: Asking, method: str, path: str, body: object = None) -> tuple[int, ...]:
    return tuple(ask.request(method, path, body, role=role).status_code for role in ROLES)


def test_approving_is_for_the_owner_of_the_provider(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    project = waldur_server.make_project(waldur_server.make_customer("Org"), "Project")
    order = waldur_server.order_create(project, "alloc")
    path = f"marketplace-orders/{order.uuid}/approve_by_provider/"
    assert statuses(ask, "POST", path) == (200, 403, 403, 404, 409)


def test_ending_an_order_is_for_the_owner_of_the_provider(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    project = waldur_server.make_project(waldur_server.make_customer("Org"), "Project")
    order = waldur_server.order_create(project, "alloc")
    ask.on_order(order, "approve_by_provider")
    path = f"marketplace-orders/{order.uuid}/set_state_done/"
    assert statuses(ask, "POST", path) == (200, 403, 403, 404, 409)


def test_a_backend_id_is_for_who_manages_the_offering(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    path = f"{ask.resources}/{resource}/set_backend_id/"
    customer = 403 if waldur_server.dialect == "classic" else 404
    assert statuses(ask, "POST", path, {"backend_id": "x"}) == (200, 200, customer, 404, 200)


def test_usage_is_for_who_manages_the_offering(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    body = ask.usage(resource, cpu="1")
    path = "marketplace-component-usages/set_usage/"
    assert statuses(ask, "POST", path, body) == (201, 201, 403, 403, 201)


def test_a_stranger_sees_empty_lists_and_nobody_comes_without_a_token(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    ask.make_running()
    for path in ("marketplace-orders/", f"{ask.resources}/", "marketplace-offering-users/"):
        assert ask.read(path, role="stranger") == []
        assert ask.session.get(waldur_server.url + path, timeout=10).status_code == 401


@pytest.mark.parametrize("action", ["set_limits", "set_as_ok", "set_as_erred", "set_paused"])
def test_today_the_setters_of_a_resource_are_for_who_manages_the_offering(
    start_waldur: StartWaldur, asking: Asks, action: str
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    path = f"{ask.resources}/{resource}/{action}/"
    found = statuses(ask, "POST", path, {"limits": {"cpu": 1}, "paused": True})
    customer, stranger = (403, 404) if action == "set_as_erred" else (404, 404)
    assert found == (200, 200, customer, stranger, 200)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800"])
def test_letters_that_no_database_keeps_are_refused(
    waldur_server: Waldur, asking: Asks, text: str
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    answer = ask.on_resource(resource, "set_backend_id", {"backend_id": text})
    assert answer.status_code == 400
    assert waldur_server.resource(resource)["backend_id"] == ""


def test_a_backend_id_of_256_letters_is_refused(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    for length, status in ((255, 200), (256, 400)):
        answer = ask.on_resource(resource, "set_backend_id", {"backend_id": "x" * length})
        assert answer.status_code == status


@pytest.mark.parametrize(("kind", "status"), [("gres/gpu", 201), ("a:b_c-1", 201), ("a b", 400)])
def test_the_type_of_a_component_may_hold_a_slash_and_no_space(
    waldur_server: Waldur, asking: Asks, kind: str, status: int
) -> None:
    ask = asking(waldur_server)
    path = f"marketplace-provider-offerings/{waldur_server.offering_uuid}"
    body = {"type": kind, "name": "X", "billing_type": "limit", "limit_amount": 0}
    answer = ask.post(f"{path}/create_offering_component/", body)
    assert answer.status_code == status
    assert (kind in [one["type"] for one in waldur_server.components()]) == (status == 201)
