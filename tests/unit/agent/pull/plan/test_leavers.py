"""Leaving an account: the default account moves first, unknown stops it."""

from collections.abc import Collection, Mapping

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.slurm import down, refused
from waldur_slurm.agent.model.marketplace import Project, ResourceUuid, UserUuid
from waldur_slurm.errors import SlurmError, TransportError, UnparsableOutput
from waldur_slurm.model.accounts import Account
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


def person(site: Site, name: str) -> UserUuid:
    (found,) = (user for user, known in site.waldur.usernames.items() if known == name)
    return found


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


def account(site: Site) -> Account:
    return site.account_of(the_resource(site)[0])


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
