"""Orders and resources move as on a real Mastermind, whichever dialect it speaks."""

from collections.abc import Callable

import pytest

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
OLDER: tuple[DialectName, ...] = ("transition", "classic")


@pytest.fixture
def project(waldur_server: Waldur) -> str:
    return waldur_server.make_project(waldur_server.make_customer("Org"), "Project")


def test_a_created_allocation_is_ok_when_its_order_is_done(
    waldur_server: Waldur, asking: Asks, project: str
) -> None:
    ask = asking(waldur_server)
    order = waldur_server.order_create(project, "alloc", {"cpu": 5})
    assert waldur_server.resource(order.resource_uuid)["state"] == "Creating"
    ask.carry_out(order)
    assert waldur_server.order(order.uuid)["state"] == "done"
    assert waldur_server.resource(order.resource_uuid)["state"] == "OK"
    assert len(ask.read(f"{ask.resources}/{order.resource_uuid}/plan_periods/")) == 1


def test_an_update_brings_its_limits_only_when_it_is_done(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running({"cpu": 5})
    order = waldur_server.order_update(resource, {"cpu": 7})
    assert waldur_server.order(order.uuid)["attributes"] == {"old_limits": {"cpu": 5}}
    ask.on_order(order, "approve_by_provider")
    held = waldur_server.resource(resource)
    assert (held["state"], held["limits"]) == ("Updating", {"cpu": 5})
    ask.on_order(order, "set_state_done")
    held = waldur_server.resource(resource)
    assert (held["state"], held["limits"]) == ("OK", {"cpu": 7})


def test_a_failed_update_keeps_the_limits_and_may_be_tried_again(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running({"cpu": 5})
    order = waldur_server.order_update(resource, {"cpu": 7})
    ask.on_order(order, "approve_by_provider")
    body = {"error_message": "no room", "error_traceback": ""}
    ask.on_order(order, "set_state_erred", body)
    held = waldur_server.resource(resource)
    assert (held["state"], held["limits"]) == ("Erred", {"cpu": 5})
    ask.on_order(order, "set_state_executing")
    ask.on_order(order, "set_state_done")
    assert waldur_server.resource(resource)["limits"] == {"cpu": 7}
    assert waldur_server.order(order.uuid)["error_message"] == "no room"


def test_a_failed_termination_gives_the_resource_back(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    order = waldur_server.order_terminate(resource)
    ask.on_order(order, "approve_by_provider")
    assert waldur_server.resource(resource)["state"] == "Terminating"
    body = {"error_message": "jobs are running", "error_traceback": ""}
    ask.on_order(order, "set_state_erred", body)
    assert waldur_server.resource(resource)["state"] == "OK"


def test_a_terminated_resource_stays_terminated_and_closes_its_plan_period(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    ask.carry_out(waldur_server.order_terminate(resource))
    assert waldur_server.resource(resource)["state"] == "Terminated"
    assert ask.read(f"{ask.resources}/{resource}/plan_periods/")[0]["end"]


def test_erring_a_done_order_spoils_the_resource_and_older_ones_leave_the_order_done(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    order = waldur_server.orders(resource)[0]
    body = {"error_message": "too late", "error_traceback": ""}
    answer = ask.post(f"marketplace-orders/{order['uuid']}/set_state_erred/", body)
    assert answer.status_code == 200
    state = "erred" if waldur_server.dialect == "today" else "done"
    assert waldur_server.order(order["uuid"])["state"] == state
    assert waldur_server.resource(resource)["state"] == "Erred"


def test_a_rejected_creation_ends_the_resource(
    waldur_server: Waldur, asking: Asks, project: str
) -> None:
    order = waldur_server.order_create(project, "alloc")
    assert asking(waldur_server).on_order(order, "reject_by_provider").status_code == 200
    assert waldur_server.resource(order.resource_uuid)["state"] == "Terminated"


def test_a_members_order_waits_for_the_customer(
    waldur_server: Waldur, asking: Asks, project: str
) -> None:
    ask = asking(waldur_server)
    order = waldur_server.order_create(project, "alloc", state="pending-consumer")
    assert ask.on_order(order, "approve_by_provider").status_code == 409
    waldur_server.approve_as_consumer(order.uuid)
    assert ask.on_order(order, "approve_by_provider").status_code == 200


def test_one_order_at_a_time(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    waldur_server.order_update(resource, {"cpu": 7})
    path = f"marketplace-resources/{resource}/update_limits/"
    answer = ask.post(path, {"limits": {"cpu": 8}}, role="customer")
    pending = (400, ["Pending order for resource already exists."])
    moving = (409, {"detail": "Valid states for operation: OK."})
    wanted = moving if waldur_server.dialect == "today" else pending
    assert (answer.status_code, answer.json()) == wanted


@pytest.mark.parametrize("dialect", OLDER)
def test_the_allocation_appears_a_moment_after_approval(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    waldur = start_waldur(dialect, allocation_delay=0.3)
    ask = asking(waldur)
    project = waldur.make_project(waldur.make_customer("Org"), "Project")
    order = waldur.order_create(project, "alloc")
    ask.on_order(order, "approve_by_provider")
    assert ask.read(f"marketplace-orders/{order.uuid}/")["resource_uuid"] is None
    assert ask.await_allocation(order)


@pytest.mark.parametrize("dialect", OLDER)
def test_nothing_can_be_told_to_an_allocation_that_is_not_there_yet(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    waldur = start_waldur(dialect, allocation_delay=30)
    ask = asking(waldur)
    project = waldur.make_project(waldur.make_customer("Org"), "Project")
    order = waldur.order_create(project, "alloc")
    ask.on_order(order, "approve_by_provider")
    answer = ask.on_allocation(order.resource_uuid, "set_state", {"state": "ok"})
    assert answer.status_code == 404


def test_the_dialects_are_told_apart_by_what_is_there(waldur_server: Waldur, asking: Asks) -> None:
    there = {
        path: asking(waldur_server).request("GET", f"{path}/").status_code != 404
        for path in ("marketplace-slurm-remote", "marketplace-provider-resources")
    }
    assert (
        tuple(there.values())
        == {
            "today": (False, True),
            "transition": (True, True),
            "classic": (True, False),
        }[waldur_server.dialect]
    )


@pytest.mark.parametrize("dialect", OLDER)
def test_creating_then_ok_completes_the_order_by_itself(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    waldur = start_waldur(dialect)
    ask = asking(waldur)
    project = waldur.make_project(waldur.make_customer("Org"), "Project")
    order = waldur.order_create(project, "alloc")
    ask.on_order(order, "approve_by_provider")
    ask.await_allocation(order)
    for state in ("creating", "ok"):
        ask.on_allocation(order.resource_uuid, "set_state", {"state": state})
    assert waldur.order(order.uuid)["state"] == "done"
    assert ask.on_order(order, "set_state_done").status_code == 409


@pytest.mark.parametrize("dialect", OLDER)
def test_an_update_errs_at_approval_when_the_allocation_was_never_called_ok(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    waldur = start_waldur(dialect)
    ask = asking(waldur)
    project = waldur.make_project(waldur.make_customer("Org"), "Project")
    created = waldur.order_create(project, "alloc", {"cpu": 5})
    ask.on_order(created, "approve_by_provider")
    ask.await_allocation(created)
    ask.on_order(created, "set_state_done")
    update = waldur.order_update(created.resource_uuid, {"cpu": 7})
    ask.on_order(update, "approve_by_provider")
    held = waldur.order(update.uuid)
    assert held["state"] == "erred"
    assert held["error_message"] == "Can't switch from state '5' using method 'schedule_updating'"


@pytest.mark.parametrize("dialect", OLDER)
def test_an_erred_allocation_makes_the_resource_erred(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    ask.on_allocation(resource, "set_state", {"state": "erred"})
    held = ask.waldur.resource(resource)
    assert (held["state"], held["backend_metadata"]["state"]) == ("Erred", "Erred")


def test_today_a_creation_that_fails_before_a_backend_id_ends_the_resource(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    waldur = start_waldur("today")
    ask = asking(waldur)
    project = waldur.make_project(waldur.make_customer("Org"), "Project")
    order = waldur.order_create(project, "alloc")
    ask.on_order(order, "approve_by_provider")
    ask.on_order(order, "set_state_erred", {"error_message": "no", "error_traceback": ""})
    assert waldur.resource(order.resource_uuid)["state"] == "Terminated"


def test_today_an_ended_resource_can_be_restored(start_waldur: StartWaldur, asking: Asks) -> None:
    waldur = start_waldur("today")
    ask = asking(waldur)
    _, resource = ask.make_running()
    ask.carry_out(waldur.order_terminate(resource))
    order = waldur.order_restore(resource)
    assert waldur.order(order.uuid)["type"] == "Restore"
    ask.carry_out(order)
    assert waldur.resource(resource)["state"] == "OK"


def test_today_an_agent_sets_limits_and_states_on_the_resource_itself(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running({"cpu": 5})
    ask.on_resource(resource, "set_limits", {"limits": {"cpu": 9}})
    ask.on_resource(resource, "set_as_erred", {"error_message": "gone", "error_traceback": ""})
    held = ask.waldur.resource(resource)
    assert (held["state"], held["limits"], held["error_message"]) == ("Erred", {"cpu": 9}, "gone")
    ask.on_resource(resource, "set_as_ok")
    assert ask.waldur.resource(resource)["state"] == "OK"


def test_an_agent_is_noticed_by_its_user_agent(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    offering = waldur_server.offering_uuid
    path = f"marketplace-provider-offerings/{offering}/"
    ask.read(f"marketplace-orders/?offering_uuid={offering}")
    assert not ask.read(path)["integration_status"]
    ask.session.headers["User-Agent"] = "some-agent/1 (pull; waldur-site-agent)"
    ask.read(f"marketplace-orders/?offering_uuid={offering}")
    status = ask.read(path)["integration_status"]
    assert [(one["agent_type"], one["status"]) for one in status] == [
        ("Order processing", "Active")
    ]
