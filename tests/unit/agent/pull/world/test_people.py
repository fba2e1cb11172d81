"""Who should be in an account, by the names that Waldur gives."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import Project, ResourceUuid, UserUuid
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddUser
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import AccountName, UserName

ANN, BOB, EVE = (UserName(name) for name in ("ann", "bob", "eve"))


@pytest.fixture
def site() -> Site:
    site = new_site()
    served(site, ANN, BOB)
    return site


def project(site: Site) -> Project:
    return the_resource(site)[1]


def the_resource(site: Site) -> tuple[ResourceUuid, Project]:
    (resource,) = site.waldur.resources.values()
    return resource.uuid, resource.project


def account(site: Site) -> Account:
    return site.account_of(the_resource(site)[0])


@pytest.mark.parametrize(
    "name", ["", "a,b", "n[1-3]", "--immediate", "ro|ot", "x\ny", "a" * 65, "Eve", "0", "1005"]
)
def test_a_name_that_slurm_would_misread_is_held_back_alone(site: Site, name: str) -> None:
    site.waldur.add_member(project(site), name)
    site.waldur.add_member(project(site), EVE)

    report = site.run()

    assert account(site).users == {ANN, BOB, EVE}
    shown = [r for r in report.refusals if r.kind is RefusalKind.UNSAFE_NAME]
    assert len(shown) == (1 if name else 0)


def test_an_administrators_user_stays_unless_the_site_says_otherwise(site: Site) -> None:
    site.slurm.add_users({account(site).name: [EVE]})
    assert site.run().is_idle

    site.change_policy(remove_unknown_users=True)
    site.run()

    assert account(site).users == {ANN, BOB}


def person(site: Site, name: str) -> UserUuid:
    (found,) = (user for user, known in site.waldur.usernames.items() if known == name)
    return found


def test_a_protected_user_is_neither_added_nor_removed(site: Site) -> None:
    site.change_policy(protected_users=frozenset({BOB, EVE}))
    site.waldur.add_member(project(site), EVE)
    site.waldur.remove_member(project(site), person(site, BOB))

    site.run()

    assert account(site).users == {ANN, BOB}


def test_a_former_name_goes_because_the_agent_remembers_adding_it(site: Site) -> None:
    site.waldur.name_user(person(site, BOB), "robert")

    site.settle()

    assert account(site).users == {ANN, UserName("robert")}


def test_a_lost_journal_only_ever_adds(site: Site) -> None:
    site.state.documents.clear()
    site.waldur.name_user(person(site, BOB), "robert")

    site.settle()

    assert account(site).users == {ANN, BOB, UserName("robert")}


def test_a_team_that_cannot_be_read_changes_nobody(site: Site) -> None:
    resource, _ = the_resource(site)
    site.waldur.unreadable_teams.add(resource)
    site.waldur.remove_member(project(site), person(site, BOB))

    report = site.run()

    assert account(site).users == {ANN, BOB}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.UNKNOWN]


def test_restricted_resources_let_nobody_submit_and_only_who_left_goes(site: Site) -> None:
    resource, _ = the_resource(site)
    site.waldur.resources[resource] = replace(site.waldur.resources[resource], is_restricted=True)
    site.waldur.remove_member(project(site), person(site, BOB))
    site.waldur.add_member(project(site), EVE)

    site.settle()

    assert {(a.user, a.max_submit_jobs) for a in account(site).associations} == {(ANN, 0)}


def test_no_association_appears_that_the_plan_does_not_name(site: Site) -> None:
    site.waldur.add_member(project(site), EVE)
    planned = {
        (step.account, step.user) for step in site.plan().plan.steps if isinstance(step, AddUser)
    }
    before = associations(site)

    site.run()

    assert associations(site) - before == planned == {(account(site).name, EVE)}


def associations(site: Site) -> set[tuple[AccountName, UserName]]:
    return {(a.name, user) for a in site.accounts().values() for user in a.users}


def test_partition_associations_are_left_alone(site: Site) -> None:
    found = account(site)
    by_hand = Association(BOB, partition="gpu")
    site.slurm.put(replace(found, associations=(*found.associations, by_hand)))
    site.waldur.remove_member(project(site), person(site, BOB))

    site.run()

    assert BOB in account(site).users
    assert [d.kind for d in site.plan().plan.drifts] == [DriftKind.PARTITION_ASSOCIATION]
