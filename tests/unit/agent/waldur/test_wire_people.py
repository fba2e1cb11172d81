"""Who may use what, row by row: nobody is in longer, or out sooner, than Waldur says."""

from datetime import UTC, datetime, timedelta

import pytest

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import OfferingUser, ProjectUuid, RowKind, Unreadable
from waldur_slurm.agent.model.rights import STAFF, Rights, Role
from waldur_slurm.agent.waldur.wire.people import (
    Member,
    parse_association,
    parse_offering_user,
    parse_offering_user_row,
    parse_permission,
    parse_permission_row,
    parse_rights,
    parse_team_member,
    statuses_to_wire,
)
from waldur_slurm.model.names import UserName

HEX = "f47ac10b58cc4372a5670e02b2c3d479"
DASHED = "F47AC10B-58CC-4372-A567-0E02B2C3D479"
OTHER = f"{7:032x}"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

USER = {"uuid": OTHER, "user_uuid": DASHED, "username": "ann", "is_restricted": False}
PERMISSION = {"project_uuid": OTHER, "user_uuid": DASHED, "user_username": "ann@example.org"}


def test_a_role_ends_with_its_last_moment() -> None:
    member = Member(parse_team_member({"uuid": HEX}, "team").user, "ann", NOON)

    assert member.is_in(NOON - SECOND)
    assert not member.is_in(NOON)
    assert not member.is_in(NOON + SECOND)
    assert Member(member.user, "ann", None).is_in(NOON)


def test_a_permission_is_read_whole() -> None:
    project, member = parse_permission(
        PERMISSION | {"expiration_time": "2026-11-21T12:00:00Z"}, "permissions"
    )

    assert (project, member) == (OTHER, Member(member.user, "ann@example.org", NOON))
    assert member.user == HEX
    nameless = parse_permission(PERMISSION | {"user_username": None}, "permissions")[1]
    assert (nameless.name, nameless.until) == ("", None)


def test_a_team_member_is_read_whole() -> None:
    row = {"uuid": DASHED, "username": "ann", "expiration_time": "2026-11-21T12:00:00+00:00"}

    member = parse_team_member(row, "team")

    assert (member.user, member.name, member.until) == (HEX, "ann", NOON)
    assert parse_team_member({"uuid": HEX, "username": None}, "team").name == ""


@pytest.mark.parametrize("until", ["2026-11-21T12:00:00", "2026-11-21", "never", 7])
def test_an_end_without_a_zone_or_a_moment_is_refused(until: object) -> None:
    for parse, row in ((parse_permission, PERMISSION), (parse_team_member, {"uuid": HEX})):
        with pytest.raises(UnexpectedPayload):
            parse(row | {"expiration_time": until}, "rows")


def test_a_permission_that_cannot_be_read_makes_its_projects_team_unknown() -> None:
    assert parse_permission_row(PERMISSION, "p") == parse_permission(PERMISSION, "p")
    assert parse_permission_row(PERMISSION | {"user_uuid": 7}, "p") == (ProjectUuid(OTHER), None)
    for nobody in (7, {}, PERMISSION | {"project_uuid": 7}, PERMISSION | {"project_uuid": "x"}):
        assert parse_permission_row(nobody, "p") == (None, None)


def test_an_offering_user_is_read_whole() -> None:
    person = parse_offering_user(USER, "users")

    assert person == OfferingUser(user=person.user, username="ann", is_usable=True)
    assert person.user == HEX
    assert parse_offering_user_row(USER, "users") == person
    for nobody in (None, ""):
        assert parse_offering_user(USER | {"username": nobody}, "users").username == ""


def test_an_offering_user_that_cannot_be_read_keeps_what_it_tells_of_itself() -> None:
    broken = USER | {"is_restricted": "maybe"}

    def unreadable(row: object) -> Unreadable:
        found = parse_offering_user_row(row, "users")
        assert isinstance(found, Unreadable)
        return found

    found = unreadable(broken)
    assert (found.kind, found.uuid) == (RowKind.OFFERING_USER, OTHER)
    assert (found.user, found.username) == (HEX, "ann")
    assert "is_restricted" in found.error
    assert unreadable(broken | {"user_uuid": "nobody"}).user == ""
    assert unreadable(broken | {"user_uuid": 7}).user == ""
    assert unreadable(broken | {"username": 7}).username == ""


@pytest.mark.parametrize("row", [7, [], {}, {"uuid": 7}])
def test_an_offering_user_that_does_not_say_which_spoils_the_answer(row: object) -> None:
    with pytest.raises(UnexpectedPayload):
        parse_offering_user_row(row, "users")


def test_an_association_is_known_by_its_allocation_and_its_person() -> None:
    for url in (f"http://waldur/api/slurm-allocations/{DASHED}/", f"/slurm-allocations/{HEX}"):
        row = {"username": "ann", "allocation": url}
        assert parse_association(row, "associations") == (HEX, "ann")
    with pytest.raises(UnexpectedPayload):
        parse_association({"username": "ann", "allocation": "/slurm-allocations/"}, "associations")


def test_rights_are_told_in_one_order_by_where_they_hold() -> None:
    def role(name: str, kind: str, of: str, uuid: str) -> dict[str, str]:
        return {"role_name": name, "scope_type": kind, "scope_name": of, "scope_uuid": uuid}

    roles = [
        role("OFFERING.MANAGER", "offering", "Cluster", DASHED),
        role("CUSTOMER.OWNER", "customer", "Centre", OTHER),
        role("CUSTOMER.OWNER", "customer", "Another", "0" * 32),
    ]
    owner = Role("CUSTOMER.OWNER", "customer Centre")
    manager = Role("OFFERING.MANAGER", "offering Cluster")
    stranger = Role("CUSTOMER.OWNER", "customer Another")
    scopes = {HEX, OTHER}

    told = parse_rights({"permissions": roles}, "me", scopes)
    staff = parse_rights({"permissions": roles, "is_staff": True}, "me", scopes)

    assert told == Rights((owner, manager), (stranger,))
    assert set(staff.here) == {Role(STAFF), owner, manager}


def test_whose_access_has_arrived_is_told_of_everybody_with_a_user_name() -> None:
    team = [
        {"uuid": DASHED, "role": "PROJECT.MEMBER", "offering_user_username": "ann"},
        {"uuid": OTHER, "role": "PROJECT.ADMIN", "offering_user_username": "bob"},
        {"uuid": HEX, "role": "PROJECT.ADMIN", "offering_user_username": None},
        {"uuid": HEX, "role": "PROJECT.ADMIN", "offering_user_username": ""},
    ]

    told = statuses_to_wire(team, frozenset({UserName("ann")}), "team")

    assert told == [
        {
            "scope_type": "resource",
            "role_name": "PROJECT.MEMBER",
            "user_uuid": HEX,
            "username": "ann",
            "state": "synced",
        },
        {
            "scope_type": "resource",
            "role_name": "PROJECT.ADMIN",
            "user_uuid": OTHER,
            "username": "bob",
            "state": "pending",
        },
    ]
