"""Members and offering users, one project at a time and a whole provider at once."""

from collections.abc import Callable

import pytest

from sandbox.waldur import DialectName, Waldur
from tests.fixtures_waldur import StartWaldur
from tests.standin.asking import Asking

Asks = Callable[[Waldur], Asking]


def provider_of(ask: Asking) -> str:
    offering = ask.read(f"marketplace-provider-offerings/{ask.waldur.offering_uuid}/")
    customer = offering["customer_uuid"]
    found = ask.read(f"marketplace-service-providers/?customer_uuid={customer}")
    return str(found[0]["uuid"])


def test_members_become_offering_users_without_a_name_with_the_order_today_when_it_is_done_before(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    project = waldur_server.make_project(waldur_server.make_customer("Org"), "Project")
    user = waldur_server.make_user("ann")
    waldur_server.add_member(project, user)
    order = waldur_server.order_create(project, "alloc")
    early = waldur_server.dialect == "today"
    assert len(waldur_server.offering_users()) == (1 if early else 0)
    ask.carry_out(order)
    assert [(row["user"], row["username"]) for row in waldur_server.offering_users()] == [
        (user, "")
    ]


def test_who_joins_later_becomes_an_offering_user_at_once_and_who_leaves_is_no_member(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    project, resource = ask.make_running()
    bea = waldur_server.make_user("bea")
    waldur_server.add_member(project, bea)
    team = ask.read(f"{ask.resources}/{resource}/team/")
    assert [one["username"] for one in team] == ["ann", "bea"]
    assert bea in [row["user"] for row in waldur_server.offering_users()]
    waldur_server.remove_member(project, bea)
    team = ask.read(f"{ask.resources}/{resource}/team/")
    assert [one["username"] for one in team] == ["ann"]


def test_who_joins_while_nothing_of_the_project_is_ok_becomes_no_offering_user(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    project, resource = ask.make_running()
    for number, state in enumerate(("Updating", "Erred", "Terminating")):
        waldur_server.change("resources", resource, state=state)
        user = waldur_server.make_user(f"late-{number}")
        waldur_server.add_member(project, user)
        assert user not in [row["user"] for row in waldur_server.offering_users()]


def test_all_memberships_of_the_provider_come_in_one_list(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    project, _ = ask.make_running()
    path = f"marketplace-service-providers/{provider_of(ask)}/project_permissions/"
    rows = ask.read(path)
    assert [(row["project_uuid"], row["user_username"], row["role"]) for row in rows] == [
        (project, "ann", "member")
    ]


@pytest.mark.parametrize("role", ["manager", "customer", "stranger"])
def test_only_the_owner_of_the_provider_may_read_all_memberships(
    waldur_server: Waldur, asking: Asks, role: str
) -> None:
    ask = asking(waldur_server)
    path = f"marketplace-service-providers/{provider_of(ask)}/project_permissions/"
    assert ask.request("GET", path, role=role).status_code == 403


def test_the_right_to_read_all_memberships_can_be_taken_away(
    waldur_server: Waldur, asking: Asks
) -> None:
    ask = asking(waldur_server)
    path = f"marketplace-service-providers/{provider_of(ask)}/project_permissions/"
    waldur_server.permit_bulk_memberships(False)
    assert ask.request("GET", path).status_code == 403


def test_today_a_name_makes_an_offering_user_ok(start_waldur: StartWaldur, asking: Asks) -> None:
    ask = asking(start_waldur("today"))
    ask.make_running()
    found = ask.read("marketplace-offering-users/")[0]
    assert (found["username"], found["state"]) == ("", "Requested")
    path = f"marketplace-offering-users/{found['uuid']}/"
    ask.request("PATCH", path, {"username": "ann1"})
    found = ask.read(path)
    assert (found["username"], found["state"]) == ("ann1", "OK")
    assert ask.read("marketplace-offering-users/?state=Requested") == []


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_older_offering_users_have_no_state(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    ask.make_running()
    assert "state" not in ask.read("marketplace-offering-users/?state=Requested")[0]


def test_restricted_users_can_be_filtered_out(waldur_server: Waldur, asking: Asks) -> None:
    ask = asking(waldur_server)
    project, _ = ask.make_running()
    waldur_server.restrict_offering_user(waldur_server.members(project)[0])
    assert ask.read("marketplace-offering-users/?is_restricted=False") == []


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_associations_are_held_by_name(
    start_waldur: StartWaldur, asking: Asks, dialect: DialectName
) -> None:
    ask = asking(start_waldur(dialect))
    _, resource = ask.make_running()
    for name in ("ann1", "bea1"):
        ask.on_allocation(resource, "create_association", {"username": name})
    ask.on_allocation(resource, "delete_association", {"username": "ann1"})
    assert ask.waldur.associations(resource) == ["bea1"]


def test_today_who_left_everything_is_on_the_way_out_where_the_offering_asks_for_it(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    waldur = start_waldur("today", plugin_options={"offering_user_auto_deletion": True})
    ask = asking(waldur)
    project, _ = ask.make_running()
    ann = waldur.members(project)[0]
    waldur.set_offering_username(ann, "ann1")
    waldur.remove_member(project, ann)
    assert [row["state"] for row in waldur.offering_users()] == ["Requested deletion"]
    waldur.add_member(project, ann)
    assert [row["state"] for row in waldur.offering_users()] == ["OK"]


def test_today_membership_statuses_are_for_offerings_that_enable_them(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    ask = asking(start_waldur("today"))
    _, resource = ask.make_running()
    body: dict[str, list[str]] = {"statuses": []}
    assert ask.on_resource(resource, "set_membership_sync_statuses", body).status_code == 409


def test_today_a_report_of_memberships_by_waldurs_own_names_replaces_the_one_before(
    start_waldur: StartWaldur, asking: Asks
) -> None:
    waldur = start_waldur("today", plugin_options={"enable_membership_sync_status": True})
    ask = asking(waldur)
    project, resource = ask.make_running()
    waldur.set_offering_username(waldur.members(project)[0], "ann1")
    for state in ("pending", "synced"):
        entry = {"scope_type": "resource", "role_name": "PROJECT.MEMBER", "state": state}
        body = {"statuses": [entry | {"username": name} for name in ("ann", "ann1")]}
        answer = ask.on_resource(resource, "set_membership_sync_statuses", body)
        assert answer.json() == {"stored": 1, "skipped": ["ann1"]}
    held = [(row["username"], row["state"]) for row in waldur.membership_statuses(resource)]
    assert held == [("ann", "synced")]


def test_memberships_of_one_moment_may_change_places_between_pages(
    waldur_server: Waldur, asking: Asks
) -> None:
    """So somebody is told twice and somebody never, though the count is right."""
    ask = asking(waldur_server)
    waldur_server.seed(resources=30, members_each=2)
    path = f"marketplace-service-providers/{provider_of(ask)}/project_permissions/?page_size=20"

    def told() -> set[tuple[str, str]]:
        pages = [ask.read(f"{path}&page={page}") for page in (1, 2, 3)]
        return {(row["project_uuid"], row["user_uuid"]) for page in pages for row in page}

    assert len(told()) == 60
    waldur_server.set_trait("unordered_memberships")
    assert len(told()) < 60
