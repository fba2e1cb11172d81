"""What a large offering costs: pages, never a request for each resource."""

from math import ceil

import pytest

from tests.contract_waldur.sites import ServedSite
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.waldur.session import PAGE_SIZE

RESOURCES = 3000
MEMBERS_EACH = 5


@pytest.fixture
def crowd(start_waldur: StartWaldur) -> ServedSite:
    site = ServedSite(start_waldur("today"))
    site.waldur.seed(resources=RESOURCES, members_each=MEMBERS_EACH)
    site.market.read_offering()
    site.waldur.forget_requests()
    return site


def test_a_cycle_over_three_thousand_resources_costs_pages(crowd: ServedSite) -> None:
    resources = crowd.market.read_resources()
    members = crowd.market.read_members(resources)
    users = crowd.market.read_offering_users()
    assert len(resources) == RESOURCES
    assert sum(map(len, members.values())) == RESOURCES * MEMBERS_EACH
    names = {user.user for user in users if user.is_usable}
    assert set().union(*members.values()) <= names
    requests = crowd.waldur.requests()
    pages = ceil(RESOURCES / PAGE_SIZE) + ceil(RESOURCES * MEMBERS_EACH / PAGE_SIZE)
    pages += ceil(len(users) / PAGE_SIZE)
    others = 3  # orders in flight, the offering, its provider
    assert len(requests) == pages + others
    assert {request.method for request in requests} == {"GET"}
    crowd.close()


def test_without_the_bulk_list_it_is_one_request_for_each_project(
    start_waldur: StartWaldur,
) -> None:
    site = ServedSite(start_waldur("today"))
    site.waldur.seed(resources=40, members_each=2, projects=10)
    site.waldur.permit_bulk_memberships(False)
    resources = site.market.read_resources()
    site.waldur.forget_requests()
    members = site.market.read_members(resources)
    assert all(len(team) == 2 for team in members.values())
    assert len(members) == len(resources)
    teams = [one for one in site.waldur.requests() if one.path.endswith("/team/")]
    assert len(teams) == len({resource.project.uuid for resource in resources})
    site.close()


def test_a_project_in_the_list_is_not_asked_again_and_one_that_is_not_costs_one_request(
    start_waldur: StartWaldur,
) -> None:
    site = ServedSite(start_waldur("today"))
    site.waldur.seed(resources=40, members_each=2, projects=10)
    projects = {resource.project.uuid for resource in site.market.read_resources()}
    for is_shared, asked in ((True, 0), (False, len(projects))):
        site.waldur.change_offering(shared=is_shared)
        resources = site.market.read_resources()
        site.waldur.forget_requests()
        assert all(len(team) == 2 for team in site.market.read_members(resources).values())
        teams = [one for one in site.waldur.requests() if one.path.endswith("/team/")]
        assert len(teams) == asked
    site.close()
