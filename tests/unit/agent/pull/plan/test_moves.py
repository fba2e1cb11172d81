"""What Waldur gives to another customer or project is drift, and moves when a person says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import CustomerUuid, Project, Resource
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.model.names import AccountName

REPAIR = Consent(repair_parents=True)
ARTS = CustomerUuid("ab" * 16)


@pytest.fixture
def site() -> Site:
    return new_site()


def put(site: Site, resource: Resource, project: Project) -> None:
    held = site.waldur.resources[resource.uuid]
    site.waldur.resources[resource.uuid] = replace(held, project=project)


def given_away(site: Site) -> Resource:
    """An allocation of a project that has gone to the customer Arts."""
    resource = served(site, "ann")
    put(site, resource, replace(resource.project, customer_uuid=ARTS, customer_name="Arts"))
    return site.waldur.resources[resource.uuid]


def test_a_project_of_another_customer_is_drift_and_moves_with_its_allocations(site: Site) -> None:
    resource = given_away(site)
    project = site.account_of(resource.uuid).parent
    assert project is not None
    before = site.accounts()[project].parent

    report = site.run()

    assert report.is_idle
    assert report.drifts == (
        Drift(DriftKind.PARENT, project, before or "", "the customer's account"),
    )
    site.run(REPAIR)
    assert site.accounts()[project].parent == f"hpc_{ARTS}"
    assert site.accounts()[AccountName(f"hpc_{ARTS}")].parent == "waldur"
    assert site.account_of(resource.uuid).parent == project
    assert site.run(REPAIR).is_idle
    assert site.run().drifts == ()


def test_the_account_of_a_customer_who_gave_all_away_goes_after_its_grace(site: Site) -> None:
    resource = served(site, "ann")
    project = site.account_of(resource.uuid).parent
    assert project is not None
    former = site.accounts()[project].parent
    put(site, resource, replace(resource.project, customer_uuid=ARTS, customer_name="Arts"))
    site.run(REPAIR)
    assert former in site.accounts()

    site.run()
    site.wait(timedelta(hours=25))
    site.settle()

    assert former not in site.accounts()
    assert site.account_of(resource.uuid).parent == project


def test_new_allocations_of_a_project_that_moved_are_under_its_new_customer(site: Site) -> None:
    resource = given_away(site)
    site.run(REPAIR)
    order = site.waldur.place_create(resource.project, "second", {"gpu": 1})
    site.settle()

    assert order.resource is not None
    parent = site.account_of(order.resource).parent
    assert parent == site.account_of(resource.uuid).parent
    assert parent is not None
    assert site.accounts()[parent].parent == f"hpc_{ARTS}"


def test_a_resource_of_another_project_is_drift_and_moves_and_its_team_follows(site: Site) -> None:
    resource, other = served(site, "ann"), site.waldur.make_project("Biology")
    put(site, resource, other)
    site.waldur.add_member(other, "bob")
    site.settle()
    assert [drift.kind for drift in site.run().drifts] == [DriftKind.PARENT]
    assert site.account_of(resource.uuid).users == {"bob"}

    site.run(REPAIR)

    account = site.account_of(resource.uuid)
    assert account.parent == f"hpc_{other.uuid}"
    order = site.waldur.place_create(other, "second", {"gpu": 1})
    site.settle()
    assert order.resource is not None
    assert site.account_of(order.resource).parent == f"hpc_{other.uuid}"


@pytest.mark.parametrize("is_marked", [True, False], ids=["protected", "without a mark"])
def test_an_account_that_is_protected_or_unmarked_is_not_moved(site: Site, is_marked: bool) -> None:
    resource = given_away(site)
    project = site.account_of(resource.uuid).parent
    assert project is not None
    found = site.accounts()[project]
    if is_marked:
        site.change_policy(protected_accounts=frozenset({project}))
    else:
        site.slurm.put(replace(found, description="the admins'"))

    assert site.run(REPAIR).is_idle
    assert site.accounts()[project].parent == found.parent
