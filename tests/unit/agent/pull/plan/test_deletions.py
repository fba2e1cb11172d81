"""Who is to be deleted is told as deleted when nothing in Slurm is theirs, and only if asked."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUser, Resource, UserUuid
from waldur_slurm.agent.pull.vocabulary.steps import DeleteOfferingUser
from waldur_slurm.model.names import UserName

ITSELF = f"{0xDE1:032x}"


@pytest.fixture
def site() -> Site:
    site = new_site(Dialect.TODAY)
    site.change_policy(delete_offering_users=True)
    return site


def leaving(site: Site) -> tuple[Resource, UserUuid]:
    """Ann, in the account still, has left the team, and Waldur asks for her deletion."""
    resource = served(site, "ann", "bob")
    (ann,) = (user for user, name in site.waldur.usernames.items() if name == "ann")
    site.waldur.remove_member(resource.project, ann)
    known = site.waldur.offering_users[ann]
    state = replace(known, is_usable=False, is_leaving=True, to_be_deleted=ITSELF)
    site.waldur.offering_users[ann] = state
    return resource, ann


def held(site: Site, user: UserUuid) -> OfferingUser:
    return site.waldur.offering_users[user]


def test_who_has_left_the_account_is_told_as_deleted_in_the_same_cycle(site: Site) -> None:
    resource, ann = leaving(site)

    site.run()

    assert site.account_of(resource.uuid).users == {UserName("bob")}
    assert held(site, ann).to_be_deleted == ""
    assert [e.name for e in site.events].count("offering_user.deleted") == 1
    assert site.run().is_idle


def test_who_is_still_in_an_account_for_a_job_is_not_gone(site: Site) -> None:
    resource, ann = leaving(site)
    job = site.slurm.submit("ann", site.account_of(resource.uuid).name)
    site.slurm.tick()

    site.run()
    assert held(site, ann).to_be_deleted == ITSELF
    site.slurm.finish(job)
    site.run()

    assert held(site, ann).to_be_deleted == ""


def test_unasked_waldur_goes_on_waiting(site: Site) -> None:
    site.change_policy(delete_offering_users=False)
    _, ann = leaving(site)

    site.run()

    assert held(site, ann).to_be_deleted == ITSELF


def test_somebody_without_a_user_name_has_nothing_there(site: Site) -> None:
    _, ann = leaving(site)
    site.waldur.offering_users[ann] = replace(held(site, ann), username="")

    (step,) = (s for s in site.plan().plan.steps if isinstance(s, DeleteOfferingUser))

    assert (step.user, step.offering_user) == (ann, ITSELF)
