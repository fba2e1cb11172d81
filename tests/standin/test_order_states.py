"""When a resource begins to move for an order, and how it comes back from where it is stuck."""

from collections.abc import Callable

import pytest

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
OLDER: tuple[DialectName, ...] = ("transition", "classic")
GONE = {"error_message": "gone", "error_traceback": ""}
older = pytest.mark.parametrize("dialect", OLDER)


def state_of(ask: Asking, resource: str) -> str:
    return str(ask.waldur.resource(resource)["state"])


def test_a_resource_moves_when_that_is_ordered_today_and_when_approved_before(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    is_today = waldur_server.dialect == "today"
    _, resource = ask.make_running({"cpu": 5})
    order = waldur_server.order_terminate(resource, state="pending-consumer")
    assert state_of(ask, resource) == ("Terminating" if is_today else "OK")
    waldur_server.cancel(order.uuid)
    assert state_of(ask, resource) == "OK"
    order = waldur_server.order_update(resource, {"cpu": 7})
    assert state_of(ask, resource) == ("Updating" if is_today else "OK")
    ask.on_order(order, "reject_by_provider")
    assert state_of(ask, resource) == "OK"


def test_a_member_who_orders_an_end_needs_his_customers_agreement(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    project, resource = ask.make_running()
    ann = waldur_server.store.named("users", waldur_server.members(project)[0])
    answer = ask.session.post(
        f"{waldur_server.url}marketplace-resources/{resource}/terminate/",
        headers={"Authorization": f"Token {ann['token']}"},
        timeout=10,
    )
    assert waldur_server.order(answer.json()["order_uuid"])["state"] == "pending-consumer"
    path = f"marketplace-orders/?offering_uuid={waldur_server.offering_uuid}"
    assert ask.read(f"{path}&state=pending-provider&state=executing") == []
    held = "Terminating" if waldur_server.dialect == "today" else "OK"
    assert state_of(ask, resource) == held


def test_today_an_erred_resource_does_not_move_before_the_provider_has_agreed(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.on_resource(resource, "set_as_erred", GONE)
    ask.waldur.order_terminate(resource)
    assert state_of(ask, resource) == "Erred"


@older
def test_an_erred_resource_comes_back_by_way_of_an_update(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    ask.on_allocation(resource, "set_state", {"state": "erred"})
    ask.on_allocation(resource, "set_state", {"state": "ok"})
    assert state_of(ask, resource) == "Erred", "ok alone is not enough"
    for state in ("update_scheduled", "updating", "ok"):
        answer = ask.on_allocation(resource, "set_state", {"state": state})
        assert answer.status_code == 200
    assert state_of(ask, resource) == "OK"
    assert ask.report(resource, cpu="1").status_code == 201


@older
def test_what_has_ended_leaves_its_allocation_as_its_dialect_does(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    ask.carry_out_end(ask.waldur.order_terminate(resource))
    allocation = ask.waldur.allocation(resource)
    assert allocation is not None
    assert allocation["state"] == ("Deletion Scheduled" if dialect == "classic" else "OK")
    assert state_of(ask, resource) == "Terminated"


@pytest.mark.parametrize(("backend_id", "after"), [("", "Terminated"), ("hpc_x", "Erred")])
def test_today_a_restoration_that_fails_ends_where_its_backend_id_says(
    start_waldur: StartWaldur, asking: Asks, backend_id: str, after: str
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.carry_out(ask.waldur.order_terminate(resource))
    ask.waldur.change("resources", resource, backend_id=backend_id)
    order = ask.waldur.order_restore(resource)
    assert state_of(ask, resource) == "Creating"
    ask.on_order(order, "approve_by_provider")
    ask.on_order(order, "set_state_erred", GONE)
    assert state_of(ask, resource) == after


def test_today_a_restoration_that_is_rejected_leaves_a_resource_that_is_ok(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.carry_out(ask.waldur.order_terminate(resource))
    ask.on_order(ask.waldur.order_restore(resource), "reject_by_provider")
    assert state_of(ask, resource) == "OK"


def test_today_nothing_is_restored_without_the_option(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today", plugin_options={"can_restore_resource": False}))
    _, resource = ask.make_running()
    ask.carry_out(ask.waldur.order_terminate(resource))
    refused = ask.post(f"marketplace-resources/{resource}/restore/", role="customer")
    assert (refused.status_code, refused.json()) == (
        400,
        ["Restoring resource is not supported for this offering type."],
    )


def test_erring_an_order_without_its_words_fails_unless_a_server_forgives_it(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    project = ask.waldur.make_project(ask.waldur.make_customer("Org"), "Project")
    order = ask.waldur.order_create(project, "alloc")
    ask.on_order(order, "approve_by_provider")
    assert ask.on_order(order, "set_state_erred", {}).status_code == 500
    assert ask.waldur.order(order.uuid)["state"] == "executing"
    ask.waldur.set_trait("wants_error_fields", False)
    assert ask.on_order(order, "set_state_erred", {}).status_code == 200


def test_where_servers_leave_done_orders_done_erring_one_spoils_the_resource_alone(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today", traits={"errs_done_orders": False}))
    _, resource = ask.make_running()
    order = ask.waldur.orders(resource)[0]["uuid"]
    ask.post(f"marketplace-orders/{order}/set_state_erred/", GONE)
    assert (ask.waldur.order(order)["state"], state_of(ask, resource)) == ("done", "Erred")


def test_a_plan_is_linked_to_by_its_offering(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    held = waldur_server.resource(resource)
    body = {
        "offering": f"http://waldur/api/marketplace-public-offerings/{held['offering']}/",
        "project": f"http://waldur/api/projects/{held['project']}/",
        "plan": f"http://waldur/api/marketplace-plans/{held['plan']}/",
        "attributes": {"name": "x"},
    }
    refused = ask.post("marketplace-orders/", body, role="customer")
    assert (refused.status_code, refused.json()) == (
        400,
        {"plan": ["Invalid hyperlink - Incorrect URL match."]},
    )


def test_projects_and_resources_move_to_others(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    project, resource = ask.make_running()
    other = waldur_server.make_customer("Other")
    waldur_server.move_project(project, other)
    assert ask.read(f"{ask.resources}/{resource}/")["customer_uuid"] == other
    second = waldur_server.make_project(other, "Second")
    waldur_server.move_resource(resource, second)
    assert ask.read(f"{ask.resources}/{resource}/")["project_uuid"] == second


def test_today_a_provider_tells_the_customer_why_an_order_waits(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    project = ask.waldur.make_project(ask.waldur.make_customer("Science"), "Physics")
    order = ask.waldur.order_create(project, "alloc", {"cpu": 5})
    word = {"provider_message": "This offering does not sell that."}
    assert ask.on_order(order, "set_provider_info", word).status_code == 409
    ask.waldur.change_offering(plugin_options={"enable_provider_consumer_messaging": True})

    assert ask.on_order(order, "set_provider_info", word, role="manager").status_code == 403
    assert ask.on_order(order, "set_provider_info", word).status_code == 200
    read = ask.read(f"marketplace-orders/{order.uuid}/", role="customer")
    assert read["provider_message"] == word["provider_message"]
    ask.on_order(order, "approve_by_provider")
    assert ask.on_order(order, "set_provider_info", word).status_code == 409


@older
def test_older_dialects_have_no_word_for_the_customer_of_a_waiting_or_rejected_order(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    project = ask.waldur.make_project(ask.waldur.make_customer("Science"), "Physics")
    order = ask.waldur.order_create(project, "alloc", {"cpu": 5})

    told = ask.on_order(order, "set_provider_info", {"provider_message": "no"})
    ask.on_order(order, "reject_by_provider", {"provider_rejection_comment": "no"})

    assert told.status_code == 404
    read = ask.read(f"marketplace-orders/{order.uuid}/", role="customer")
    assert read["state"] == "rejected"
    assert "no" not in read.values()


def test_today_the_customer_of_a_rejected_order_reads_why(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    project = ask.waldur.make_project(ask.waldur.make_customer("Science"), "Physics")
    order = ask.waldur.order_create(project, "alloc", {"cpu": 5})

    ask.on_order(order, "reject_by_provider", {"provider_rejection_comment": "sold out"})

    read = ask.read(f"marketplace-orders/{order.uuid}/", role="customer")
    assert (read["state"], read["provider_rejection_comment"]) == ("rejected", "sold out")
