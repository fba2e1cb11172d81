"""Accounts of projects and customers stay for as long as somebody may need them."""

from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import (
    ResourceUuid,
)
from waldur_slurm.model.accounts import Account


@pytest.fixture
def site() -> Site:
    """One allocation with ann and bob in it."""
    site = new_site()
    project = site.waldur.make_project()
    for user in ("ann", "bob"):
        site.waldur.add_member(project, user)
    site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.settle()
    return site


def the_resource(site: Site) -> ResourceUuid:
    (uuid,) = site.waldur.resources
    return uuid


def account(site: Site) -> Account:
    return site.account_of(the_resource(site))


def test_parents_stay_for_a_day_after_the_last_allocation(site: Site) -> None:
    parent = account(site).parent
    assert parent is not None
    site.waldur.place_terminate(the_resource(site))
    site.settle()
    assert parent in site.accounts()

    site.wait(timedelta(hours=23))
    site.run()
    assert parent in site.accounts()
    site.wait(timedelta(hours=2))
    site.settle()
    for _ in range(2):
        site.wait(timedelta(hours=25))
        site.settle()

    assert not any(name.startswith("hpc_") for name in site.accounts())


def test_a_parent_that_is_needed_again_stays(site: Site) -> None:
    project = site.waldur.resources[the_resource(site)].project
    parent = account(site).parent
    site.waldur.place_terminate(the_resource(site))
    site.settle()
    site.wait(timedelta(hours=23))
    order = site.waldur.place_create(project, "again", {"gpu": 1})
    site.settle()
    site.wait(timedelta(hours=25))

    site.settle()

    assert site.account_of(order.resource).parent == parent
