"""What cannot be read of one resource, person or team stops that one, and removes nothing there."""

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import Resource, RowKind, Unreadable, UserUuid
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.model.names import UserName


@pytest.fixture
def site() -> Site:
    return new_site()


def person(site: Site, name: str) -> UserUuid:
    (found,) = (uuid for uuid, known in site.waldur.usernames.items() if known == name)
    return found


def lose(site: Site, resource: Resource) -> None:
    """Waldur lists the resource in words that nobody understands."""
    row = Unreadable(kind=RowKind.RESOURCE, uuid=resource.uuid, error="no `name`")
    site.waldur.unreadable = (row,)
    del site.waldur.resources[resource.uuid]


def test_an_unreadable_resource_keeps_its_account_and_people_and_the_others_go_on(
    site: Site,
) -> None:
    strange, sound = served(site, "ann"), served(site, "bob")
    account = site.account_of(strange.uuid)
    lose(site, strange)
    site.waldur.add_member(sound.project, "eve")

    report = site.run()
    site.settle()

    assert site.account_of(strange.uuid) == account
    assert site.account_of(sound.uuid).users == {"bob", "eve"}
    [refusal] = report.refusals
    assert (refusal.kind, refusal.subject) == (RefusalKind.UNREADABLE, strange.uuid)
    assert "no `name`" in refusal.reason
    assert report.drifts == ()
    assert report.doubts == ()


def test_the_only_resource_there_is_being_unreadable_is_no_empty_waldur(site: Site) -> None:
    lose(site, served(site, "ann"))

    assert not site.run().is_brake_active


@pytest.mark.parametrize(
    ("is_user_told", "username"), [(True, "ann"), (True, ""), (False, "ann"), (False, "")]
)
def test_a_member_whose_offering_user_is_unreadable_is_neither_held_nor_removed(
    site: Site, is_user_told: bool, username: str
) -> None:
    resource = served(site, "ann", "bob", "cat")
    ann, bob = person(site, "ann"), person(site, "bob")
    del site.waldur.offering_users[ann]
    user = ann if is_user_told else ""
    kind = RowKind.OFFERING_USER
    row = Unreadable(kind=kind, uuid="9" * 32, error="no", user=user, username=username)
    site.waldur.unreadable = (row,)
    site.waldur.remove_member(resource.project, bob)
    site.change_policy(make_offering_users=True, remove_unknown_users=True)

    site.settle()

    associations = site.account_of(resource.uuid).associations
    assert [(a.user, a.max_submit_jobs) for a in associations] == [
        (UserName("ann"), None),
        (UserName("cat"), None),
    ]
    assert ann not in site.waldur.offering_users
    assert [r.kind for r in site.run().refusals] == [RefusalKind.UNREADABLE]
