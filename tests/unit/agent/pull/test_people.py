"""Members with a name that can be used are in, those who left are out, all others stay."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site
from tests.fakes.slurm import down, refused
from waldur_slurm.agent.model.marketplace import Project, ResourceUuid, UserUuid
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddUser
from waldur_slurm.errors import SlurmError, TransportError, UnparsableOutput
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import AccountName, UserName

ANN, BOB, EVE = (UserName(name) for name in ("ann", "bob", "eve"))


@pytest.fixture
def site() -> Site:
    site = new_site()
    project = site.waldur.make_project()
    for user in (ANN, BOB):
        site.waldur.add_member(project, user)
    site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.settle()
    return site


def project(site: Site) -> Project:
    return the_resource(site)[1]


def the_resource(site: Site) -> tuple[ResourceUuid, Project]:
    (resource,) = site.waldur.resources.values()
    return resource.uuid, resource.project


def account(site: Site) -> Account:
    return site.account_of(the_resource(site)[0])


def person(site: Site, name: str) -> UserUuid:
    (found,) = (user for user, known in site.waldur.usernames.items() if known == name)
    return found


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


def test_who_has_no_unix_account_waits_and_is_named(site: Site) -> None:
    site.slurm.unix_users = {ANN, BOB}
    site.waldur.add_member(project(site), EVE)

    report = site.run()

    assert account(site).users == {ANN, BOB}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.NO_UNIX_USER]
    site.slurm.unix_users.add(EVE)
    site.run()
    assert account(site).users == {ANN, BOB, EVE}


def test_a_lookup_that_forgot_who_is_there_already_is_not_believed(site: Site) -> None:
    site.slurm.unix_users = {EVE}
    site.waldur.add_member(project(site), EVE)

    report = site.run()

    assert account(site).users == {ANN, BOB}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.UNKNOWN]


def test_nobody_is_removed_for_a_missing_unix_account(site: Site) -> None:
    site.slurm.unix_users = set()

    assert site.run().is_idle


def test_an_administrators_user_stays_unless_the_site_says_otherwise(site: Site) -> None:
    site.slurm.add_users({account(site).name: [EVE]})
    assert site.run().is_idle

    site.change_policy(remove_unknown_users=True)
    site.run()

    assert account(site).users == {ANN, BOB}


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


def test_restricted_resources_let_everybody_out(site: Site) -> None:
    resource, _ = the_resource(site)
    site.waldur.resources[resource] = replace(site.waldur.resources[resource], is_restricted=True)

    site.settle()

    assert account(site).users == frozenset()


def test_a_leaver_keeps_a_default_account(site: Site) -> None:
    other = site.waldur.make_project("Biology")
    site.waldur.place_create(other, "second", {"gpu": 1})
    site.settle()
    bob = person(site, BOB)
    site.waldur.members[other.uuid].add(bob)
    site.run()
    first = site.slurm.read_default_accounts([BOB])[BOB]
    left = next(r.project for r in site.waldur.resources.values() if r.backend_id == first)
    site.waldur.remove_member(left, bob)

    site.settle()

    (remaining,) = (a.name for a in site.accounts().values() if BOB in a.users)
    assert site.slurm.read_default_accounts([BOB])[BOB] == remaining != first


class Asked:
    """Slurm, and whose default accounts it was asked for."""

    def __init__(self, site: Site) -> None:
        self._slurm = site.slurm
        self.users: set[UserName] = set()
        site.wrap_slurm = lambda _slurm: self  # type: ignore[assignment, return-value]  # a port by __getattr__

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def read_default_accounts(self, users: Collection[UserName]) -> Mapping[UserName, AccountName]:
        assert users, "asking for nobody is a command for nothing"
        self.users |= set(users)
        return self._slurm.read_default_accounts(users)


def test_only_the_default_accounts_of_those_who_leave_are_asked_for(site: Site) -> None:
    asked = Asked(site)
    site.waldur.add_member(project(site), EVE)
    site.settle()
    assert asked.users == set()

    site.waldur.remove_member(project(site), person(site, BOB))
    site.settle()
    assert asked.users == {BOB}

    site.waldur.place_terminate(the_resource(site)[0])
    site.settle()
    assert asked.users == {ANN, BOB, EVE}


def test_whoever_has_no_default_account_leaves_all_the_same(site: Site) -> None:
    del site.slurm._defaults[BOB]
    site.waldur.remove_member(project(site), person(site, BOB))

    site.run()

    assert account(site).users == {ANN}


@pytest.mark.parametrize(
    "trouble",
    [down(), TransportError("timed out"), refused("Access denied"), UnparsableOutput("half a row")],
    ids=lambda trouble: type(trouble).__name__,
)
@pytest.mark.parametrize("is_ending", [False, True], ids=["leaving", "ending"])
def test_nobody_leaves_while_the_default_accounts_are_unknown(
    site: Site, trouble: SlurmError, is_ending: bool
) -> None:
    if is_ending:
        site.waldur.approve_order(site.waldur.place_terminate(the_resource(site)[0]).uuid)
    else:
        site.waldur.remove_member(project(site), person(site, BOB))
    before = site.accounts(), dict(site.waldur.orders)
    site.slurm.fail_next(trouble, on="read_default_accounts")

    with pytest.raises(type(trouble)):
        site.run()

    assert (site.accounts(), site.waldur.orders) == before
    site.settle()
    assert BOB not in {user for each in site.accounts().values() for user in each.users}


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


def test_homes_are_made_once_for_those_who_are_added(site: Site) -> None:
    site.change_policy(create_homes=True)
    site.waldur.add_member(project(site), EVE)

    site.settle()
    site.wait(timedelta(hours=1))
    site.run()

    assert site.slurm.homes == {EVE}
    assert site.slurm.calls["make_home"] == 1


def test_a_home_that_did_not_work_out_is_tried_again_later(site: Site) -> None:
    site.change_policy(create_homes=True, require_unix_users=False)
    site.slurm.unix_users = {ANN, BOB}
    site.waldur.add_member(project(site), EVE)
    site.run()
    assert EVE in account(site).users

    site.slurm.unix_users.add(EVE)
    site.wait(timedelta(minutes=2))
    site.run()

    assert site.slurm.homes == {EVE}
