"""What a provider sets in an offering, and what it costs him to have said nothing."""

from collections.abc import Callable

import pytest

from sandbox.waldur import DialectName, Waldur
from sandbox.waldur.answers import Problem
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]
USERS_OPTION = "service_provider_can_create_offering_user"

any_dialect = pytest.mark.parametrize("dialect", DIALECT_NAMES)


def offering_of(ask: Asking) -> dict[str, object]:
    found: dict[str, object] = ask.read(
        f"marketplace-provider-offerings/{ask.waldur.offering_uuid}/"
    )
    return found


def permissions_of(ask: Asking) -> list[str]:
    customer = offering_of(ask)["customer_uuid"]
    [provider] = ask.read(f"marketplace-service-providers/?customer_uuid={customer}")
    path = f"marketplace-service-providers/{provider['uuid']}/project_permissions/"
    return [row["user_username"] for row in ask.read(path)]


def link(collection: str, uuid: str) -> str:
    return f"http://waldur/api/{collection}/{uuid}/"


def test_the_list_of_all_memberships_passes_over_a_private_offering_whose_team_is_there(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    assert permissions_of(ask) == ["ann"]
    waldur_server.change_offering(shared=False)
    assert permissions_of(ask) == []
    team = ask.read(f"{ask.resources}/{resource}/team/")
    assert [one["username"] for one in team] == ["ann"]
    assert ask.read(f"{ask.resources}/{resource}/")["offering_shared"] is False


def test_the_list_of_all_memberships_passes_over_what_has_ended(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    _, resource = ask.make_running()
    ask.carry_out(waldur_server.order_terminate(resource))
    assert permissions_of(ask) == []


@any_dialect
def test_a_new_offering_has_no_options_and_its_members_no_offering_users(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect, makes_users=False))
    project, _ = ask.make_running()
    assert USERS_OPTION not in str(offering_of(ask))
    ask.waldur.add_member(project, ask.waldur.make_user("bea"))
    assert ask.waldur.offering_users() == []


@any_dialect
def test_an_offering_user_is_made_by_the_provider_once_the_option_stands_in_its_place(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect, makes_users=False))
    project, _ = ask.make_running()
    offering, [ann] = ask.waldur.offering_uuid, ask.waldur.members(project)
    body = {"user": link("users", ann), "username": "ann1"}
    body["offering"] = link("marketplace-provider-offerings", offering)
    refused = ask.post("marketplace-offering-users/", body)
    assert (refused.status_code, refused.json()) == (
        400,
        ["It is not allowed to create users for current offering."],
    )
    place = "plugin_options" if dialect == "today" else "secret_options"
    path = f"marketplace-provider-offerings/{offering}/update_integration/"
    assert ask.post(path, {place: {USERS_OPTION: True}}).status_code == 200
    assert ask.waldur.offering_users() == [], "who was there before still has none"
    assert ask.post("marketplace-offering-users/", body).status_code == 201
    assert [row["username"] for row in ask.waldur.offering_users()] == ["ann1"]
    bea = ask.waldur.make_user("bea")
    ask.waldur.add_member(project, bea)
    assert bea in [row["user"] for row in ask.waldur.offering_users()]


def test_the_option_does_nothing_in_the_place_of_another_dialect(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    for dialect, place in (("today", "secret_options"), ("transition", "plugin_options")):
        ask = asking(start_waldur(dialect, makes_users=False))
        path = f"marketplace-provider-offerings/{ask.waldur.offering_uuid}/update_integration/"
        assert ask.post(path, {place: {USERS_OPTION: True}}).status_code == 200
        ask.make_running()
        assert ask.waldur.offering_users() == []


def test_the_option_survives_an_upgrade_of_waldur(start_waldur: StartWaldur) -> None:
    waldur = start_waldur("classic")
    waldur.restart(dialect="today")
    project = waldur.make_project(waldur.make_customer("Org"), "Project")
    waldur.store.update("offerings", waldur.offering_uuid, secret_options={})
    waldur.add_member(project, waldur.make_user("ann"))
    waldur.order_create(project, "alloc")
    waldur.store.run("UPDATE resources SET state = 'OK'")
    waldur.add_member(project, waldur.make_user("bea"))
    assert len(waldur.offering_users()) == 2


def test_an_offering_user_links_to_the_providers_side_of_the_offering(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    body = {"user": link("users", waldur_server.make_user("ann")), "username": "ann1"}
    body["offering"] = link("marketplace-public-offerings", waldur_server.offering_uuid)
    refused = ask.post("marketplace-offering-users/", body)
    assert (refused.status_code, refused.json()) == (
        400,
        {"offering": ["Invalid hyperlink - Incorrect URL match."]},
    )


def test_only_staff_activates_an_offering(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    waldur_server.change_offering(state="Draft")
    path = f"marketplace-provider-offerings/{waldur_server.offering_uuid}/activate/"
    assert ask.post(path).status_code == 403
    answer = ask.post(path, role="staff")
    assert answer.json() == {"detail": "Offering state updated.", "state": "Active"}
    assert offering_of(ask)["state"] == "Active"


def test_today_nothing_is_ordered_or_changed_while_an_offering_is_unavailable(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.waldur.change_offering(state="Unavailable")
    for action, body in (
        ("set_backend_id", {"backend_id": "hpc_x"}),
        ("set_limits", {"limits": {"cpu": 9}}),
        ("set_as_erred", {"error_message": "gone", "error_traceback": ""}),
        ("refresh_last_sync", None),
    ):
        refused = ask.on_resource(resource, action, body)
        assert (refused.status_code, refused.json()) == (400, ["Offering is unavailable."])
    path = f"marketplace-resources/{resource}/update_limits/"
    assert ask.post(path, {"limits": {"cpu": 8}}, role="customer").status_code == 400
    with pytest.raises(Problem):
        ask.waldur.order_create(ask.waldur.resource(resource)["project"], "another")
    assert ask.read(f"{ask.resources}/{resource}/")["offering_state"] == "Unavailable"
    assert ask.waldur.resource(resource)["backend_id"] == ""


@any_dialect
def test_older_dialects_know_no_unavailable_offering(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    ask.waldur.change_offering(state="Unavailable")
    answer = ask.on_resource(resource, "set_backend_id", {"backend_id": "hpc_x"})
    assert answer.status_code == (400 if dialect == "today" else 200)


def test_today_an_offering_may_have_rules_for_backend_ids(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    ask.waldur.change_offering(backend_id_rules={"format": "hpc_[a-z]+", "unique": True})
    told = [
        ask.on_resource(resource, "set_backend_id", {"backend_id": name}).status_code
        for name in ("hpc_1", "hpc_x")
    ]
    assert told == [400, 200]
    project = ask.waldur.make_project(ask.waldur.make_customer("Other"), "Other")
    other = ask.waldur.order_create(project, "other")
    answer = ask.on_resource(other.resource_uuid, "set_backend_id", {"backend_id": "hpc_x"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"backend_id": ["Backend ID is already in use."]},
    )


def test_bounds_are_fractions_on_the_newest_servers_only(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    path = f"marketplace-provider-offerings/{ask.waldur.offering_uuid}/create_offering_component/"
    body = {"type": "node", "name": "Node", "billing_type": "limit", "max_value": 0.5}
    assert ask.post(path, body).status_code == 400
    ask.waldur.set_trait("fractional_bounds")
    assert ask.post(path, body | {"limit_amount": 2.0, "min_value": 1}).status_code == 201
    components = ask.read(f"marketplace-provider-offerings/{ask.waldur.offering_uuid}/")
    [node] = [one for one in components["components"] if one["type"] == "node"]
    assert [node["max_value"], node["limit_amount"], node["min_value"]] == [0.5, 2, 1]
    assert not isinstance(node["limit_amount"], float), "a whole number is shown as one"


def test_a_trait_that_a_dialect_has_not_cannot_be_set(start_waldur: StartWaldur) -> None:
    with pytest.raises(LookupError, match="knows no fractional_bounds"):
        start_waldur("classic").set_trait("fractional_bounds")
