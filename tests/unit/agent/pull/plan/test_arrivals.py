"""Only who is known where Slurm runs comes in, with one home."""

from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import Project, ResourceUuid
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import UserName

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


def test_who_has_no_unix_account_waits_and_is_named(site: Site) -> None:
    site.slurm.unix_users = {ANN, BOB}
    site.waldur.add_member(project(site), EVE)

    report = site.run()

    assert account(site).users == {ANN, BOB}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.NO_UNIX_USER]
    site.slurm.unix_users.add(EVE)
    site.run()
    assert account(site).users == {ANN, BOB, EVE}


def test_a_lookup_that_misses_people_of_the_account_is_not_believed(site: Site) -> None:
    site.slurm.unix_users = {EVE}
    site.waldur.add_member(project(site), EVE)

    report = site.run()

    assert account(site).users == {ANN, BOB}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.UNKNOWN]


def test_nobody_is_removed_for_a_missing_unix_account(site: Site) -> None:
    site.slurm.unix_users = set()

    assert site.run().is_idle


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
