"""One row that breaks the contract stops what it is about, and nothing else."""

from collections.abc import Sequence

import pytest

from tests.contract_waldur.sites import ServedSite, serve_create
from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import (
    ResourceUuid,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.waldur.members import read_teams, whole
from waldur_slurm.agent.waldur.unreadable import Unreadables
from waldur_slurm.agent.waldur.wire.people import parse_offering_user_row, parse_permission_row

A, B, C = ("a" * 32, "b" * 32, "c" * 32)


def test_a_resource_without_a_name_is_left_out_and_told_once(served: ServedSite) -> None:
    project = served.make_project()
    strange, sound = (serve_create(served, project, {}) for _ in range(2))
    served.waldur.change("resources", strange, name=None)

    found = [served.market.read_resources() for _ in range(2)]

    assert [[resource.uuid for resource in resources] for resources in found] == [[sound]] * 2
    [row] = served.market.unreadable
    assert (row.kind, row.uuid) == (RowKind.RESOURCE, strange)
    assert "`$.name`" in row.error
    assert served.notices.count("waldur.row_unreadable") == 1
    served.waldur.change("resources", strange, name="a name")
    assert len(served.market.read_resources()) == 2
    assert served.market.unreadable == ()


@pytest.mark.parametrize(
    ("changes", "user", "username"),
    [
        ({"is_restricted": None}, B, "ann"),
        ({"user_uuid": None}, "", "ann"),
        ({"username": 5}, B, ""),
    ],
)
def test_an_offering_user_that_cannot_be_read_tells_what_it_can(
    changes: dict[str, object], user: str, username: str
) -> None:
    row = {"uuid": A, "user_uuid": B, "username": "ann", "is_restricted": False} | changes

    found = parse_offering_user_row(row, "offering users")

    assert isinstance(found, Unreadable)
    assert (found.uuid, found.user, found.username) == (A, user, username)


def test_a_row_that_does_not_tell_its_uuid_says_that_the_answer_is_broken() -> None:
    with pytest.raises(UnexpectedPayload):
        parse_offering_user_row({"user_uuid": B, "username": "ann"}, "offering users")


def test_where_most_rows_are_bad_it_is_the_answer() -> None:
    told: list[Unreadable] = []
    bad = [Unreadable(kind=RowKind.RESOURCE, uuid=f"{n:032x}", error="no") for n in range(8)]
    rows = Unreadables(told.append)
    with pytest.raises(UnexpectedPayload, match="no"):
        rows.sorted_out(RowKind.RESOURCE, [*bad, "one", "two"])
    assert told == []
    assert rows.sorted_out(RowKind.RESOURCE, [*bad[:4], *"abcdef"]) == tuple("abcdef")
    assert told == bad[:4]


def permission(project: str | None, user: str | None) -> dict[str, object]:
    return {"project_uuid": project, "user_uuid": user, "expiration_time": None}


def test_a_membership_without_a_person_leaves_its_project_to_its_team() -> None:
    rows = [permission(A, B), permission(A, None), permission(C, B)]
    assert whole(parse_permission_row(row, "permissions") for row in rows).keys() == {C}


def test_a_membership_without_a_project_leaves_all_projects_to_their_teams() -> None:
    rows = [permission(A, B), permission(None, B)]
    assert whole(parse_permission_row(row, "permissions") for row in rows) == {}


def test_a_team_with_somebody_unreadable_is_unknown_and_the_others_are_known(
    served: ServedSite,
) -> None:
    served.make_project()
    for _ in range(2):
        serve_create(served, served.make_project(), {})
    first, second = served.market.read_resources()
    bad: list[Unreadable] = []

    teams = read_teams(Teams(first.uuid).read_team, [first, second], 2, bad)

    assert {project: [each.user for each in team] for project, team in teams.items()} == {
        second.project.uuid: [UserUuid(B)]
    }
    assert [(row.kind, row.uuid) for row in bad] == [(RowKind.TEAM, first.uuid)]


class Teams:
    def __init__(self, broken: ResourceUuid) -> None:
        self._broken = broken

    def read_team(self, resource: ResourceUuid) -> Sequence[object]:
        return [{"uuid": None if resource == self._broken else B, "role": "member"}]


def test_a_membership_that_ends_at_no_moment_leaves_its_project_to_its_team() -> None:
    row = permission(A, B) | {"expiration_time": "soon"}
    assert parse_permission_row(row, "permissions") == (A, None)
