"""Who is in a project: unknown is not empty, and a role that has ended is none."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.waldur import DialectName, Fault
from tests.contract_waldur.sites import ServedSite, serve_create
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.marketplace import UserUuid
from waldur_slurm.agent.waldur.opened import THREADS


@pytest.fixture(params=["the bulk list", "team by team", "a private offering"])
def people(request: pytest.FixtureRequest, served: ServedSite) -> ServedSite:
    served.waldur.permit_bulk_memberships(request.param != "team by team")
    served.waldur.change_offering(shared=request.param != "a private offering")
    return served


def test_a_role_that_has_ended_does_not_count(people: ServedSite) -> None:
    project = people.make_project()
    alice, bob, carol = (people.add_member(project, name) for name in ("alice", "bob", "carol"))
    serve_create(people, project, {})
    for user, days in ((bob, -1), (carol, 1)):
        until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        [role] = people.waldur.store.rows("SELECT * FROM roles WHERE user = ?", user)
        people.waldur.change("roles", role["uuid"], expiration_time=until)
    resources = people.market.read_resources()
    [team] = people.market.read_members(resources).values()
    assert team == {alice, carol}


def test_a_project_that_the_list_does_not_name_has_the_team_that_it_shows(
    served: ServedSite,
) -> None:
    project = served.make_project()
    alice = served.add_member(project, "alice")
    serve_create(served, project, {})
    served.waldur.change_offering(shared=False)
    resources = served.market.read_resources()
    assert list(served.market.read_members(resources).values()) == [{alice}]
    served.waldur.fault(Fault("GET */*/team/", "status", value=403))
    assert served.market.read_members(resources) == {}, "an empty list is no evidence"


def test_a_team_that_may_not_be_read_is_unknown_and_the_others_are_known(
    served: ServedSite,
) -> None:
    served.waldur.permit_bulk_memberships(False)
    open_, closed = (serve_create(served, served.make_project(), {}) for _ in range(2))
    served.waldur.fault(Fault(f"GET */{closed}/team/", "status", value=403))
    members = served.market.read_members(served.market.read_resources())
    assert members == {open_: frozenset()}


def test_a_team_that_does_not_answer_stops_the_reading(served: ServedSite) -> None:
    served.waldur.permit_bulk_memberships(False)
    uuid = serve_create(served, served.make_project(), {})
    served.waldur.fault(Fault(f"GET */{uuid}/team/", "status", value=500))
    with pytest.raises(WaldurUnreachable):
        served.market.read_members(served.market.read_resources())


def test_after_a_failure_the_rest_of_the_teams_is_not_asked(served: ServedSite) -> None:
    served.waldur.seed(resources=60, members_each=1)
    served.waldur.permit_bulk_memberships(False)
    resources = served.market.read_resources()
    served.waldur.fault(Fault("GET */*/team/", "status", value=500))
    served.waldur.forget_requests()
    with pytest.raises(WaldurUnreachable):
        served.market.read_members(resources)
    asked = {one.path for one in served.waldur.requests() if one.path.endswith("/team/")}
    assert len(asked) <= 3 * THREADS


def test_teams_of_a_few_resources_are_those_of_all(people: ServedSite) -> None:
    project = people.make_project()
    alice, bob = (people.add_member(project, name) for name in ("alice", "bob"))
    ended = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    [role] = people.waldur.store.rows("SELECT * FROM roles WHERE user = ?", bob)
    people.waldur.change("roles", role["uuid"], expiration_time=ended)
    asked = serve_create(people, project, {})
    serve_create(people, people.make_project(), {})
    resource = people.market.read_resource(asked)
    people.waldur.forget_requests()

    assert people.market.read_teams([resource]) == {asked: {alice}}
    assert len(people.waldur.requests()) == 1


def test_a_team_of_a_few_that_may_not_be_read_is_unknown_as_it_is_among_all(
    served: ServedSite,
) -> None:
    uuid = serve_create(served, served.make_project(), {})
    resource = served.market.read_resource(uuid)
    served.waldur.fault(Fault(f"GET */{uuid}/team/", "status", value=403))
    assert served.market.read_teams([resource]) == {}


def test_a_team_of_a_few_that_does_not_answer_is_an_error(served: ServedSite) -> None:
    uuid = serve_create(served, served.make_project(), {})
    resource = served.market.read_resource(uuid)
    served.waldur.fault(Fault(f"GET */{uuid}/team/", "status", value=500))
    with pytest.raises(WaldurUnreachable):
        served.market.read_teams([resource])


@pytest.mark.parametrize("many", [1, 31])
def test_offering_users_of_a_few_people_are_told_whoever_else_there_is(
    served: ServedSite, many: int
) -> None:
    project = served.make_project()
    asked = frozenset(served.add_member(project, f"one{number}") for number in range(many))
    served.add_member(served.make_project(), "other")
    serve_create(served, project, {})
    everybody = served.market.read_offering_users()
    served.waldur.forget_requests()

    found = served.market.read_offering_users_of(asked)

    assert {each.user for each in found} == asked
    assert set(found) == {each for each in everybody if each.user in asked}
    assert len(served.waldur.requests()) == 1, "one for each of a few, or one page of all"


def test_nobody_needs_no_team(served: ServedSite) -> None:
    served.waldur.permit_bulk_memberships(False)
    assert served.market.read_members([]) == {}


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_a_member_from_before_the_option_becomes_an_offering_user_only_with_it(
    start_waldur: StartWaldur, dialect: DialectName
) -> None:
    site = ServedSite(start_waldur(dialect, makes_users=False, allocation_delay=0.0))
    project = site.waldur.make_project(site.waldur.make_customer("Science"), "Physics")
    ann = UserUuid(site.waldur.make_user("ann"))
    site.waldur.add_member(project, ann)
    serve_create(site, project, {})
    assert site.market.read_offering_users() == ()
    with pytest.raises(WaldurRejected, match="not allowed to create users"):
        site.market.tell_offering_user(ann)

    site.waldur.let_offering_make_users()
    for _ in range(2):
        site.market.tell_offering_user(ann)

    assert [person.user for person in site.market.read_offering_users()] == [ann]
    site.close()


@pytest.mark.parametrize("state", ["Requested deletion", "Deleting"])
def test_an_offering_user_that_waldur_wants_deleted_is_told_as_deleted(
    start_waldur: StartWaldur, state: str
) -> None:
    site = ServedSite(start_waldur("today", allocation_delay=0.0))
    project = site.make_project()
    ann, bob = (site.add_member(project, name) for name in ("ann", "bob"))
    serve_create(site, project, {})
    site.waldur.set_offering_user_state(ann, state)
    known = {person.user: person for person in site.market.read_offering_users()}
    assert known[bob].to_be_deleted == ""

    site.market.tell_offering_user_deleted(known[ann].to_be_deleted)

    (gone,) = (p for p in site.market.read_offering_users() if p.user == ann)
    assert (gone.is_leaving, gone.to_be_deleted) == (True, "")
    assert [u["state"] for u in site.waldur.offering_users() if u["user"] == ann] == ["Deleted"]
