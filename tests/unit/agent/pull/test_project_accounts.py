"""Accounts of services and courses go the way of people: in, held, and out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUser,
    ProjectAccount,
    Resource,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.pull.order_looks import OrderLooks
from waldur_slurm.model.names import UserName

ROBOT = OfferingUser(user=UserUuid(f"{0xB0B07:032x}"), username="robot", is_usable=True)


@pytest.fixture
def site() -> Site:
    return new_site(Dialect.TODAY)


def with_robot(site: Site) -> Resource:
    resource = served(site, "ann")
    site.waldur.project_accounts = [ProjectAccount(resource.project.uuid, ROBOT)]
    site.run()
    return resource


def people(site: Site, resource: Resource) -> set[str]:
    return set(site.account_of(resource.uuid).users)


def test_an_account_of_the_project_is_let_in_beside_its_members(site: Site) -> None:
    resource = with_robot(site)

    assert people(site, resource) == {"ann", "robot"}


def test_a_look_at_a_new_order_lets_it_in_as_well(site: Site) -> None:
    resource = with_robot(site)
    looks = OrderLooks(site.cycle())
    looks.run()
    order = site.waldur.place_create(resource.project, "more")

    looks.look()

    assert set(site.account_of(order.resource).users) == {"ann", "robot"}


def test_a_closed_account_is_let_out_and_an_erred_one_held(site: Site) -> None:
    resource = with_robot(site)
    why = "the account in Waldur is in state 'Erred'"
    erred = replace(ROBOT, is_usable=False, why_not=why)
    site.waldur.project_accounts = [ProjectAccount(resource.project.uuid, erred)]
    site.run()
    held = {a.user for a in site.account_of(resource.uuid).associations if a.max_submit_jobs == 0}
    assert held == {UserName("robot")}

    closed = replace(erred, is_leaving=True)
    site.waldur.project_accounts = [ProjectAccount(resource.project.uuid, closed)]
    site.run()

    assert people(site, resource) == {"ann"}


def test_while_the_accounts_are_unknown_nobody_leaves_who_may_be_one(site: Site) -> None:
    resource = with_robot(site)
    site.waldur.project_accounts = []
    bad = Unreadable(kind=RowKind.PROJECT_ACCOUNT, uuid="0" * 32, error="403")
    site.waldur.unreadable = (bad,)

    site.run()
    site.wait(timedelta(hours=1))
    site.run()
    assert people(site, resource) == {"ann", "robot"}
    site.waldur.unreadable = ()
    site.run()

    assert people(site, resource) == {"ann"}


def test_accounts_of_a_team_that_is_unknown_are_unknown_too(site: Site) -> None:
    resource = served(site, "ann")
    site.waldur.unreadable_teams.add(resource.uuid)
    site.waldur.project_accounts = [ProjectAccount(resource.project.uuid, ROBOT)]

    site.run()

    assert people(site, resource) == {"ann"}
