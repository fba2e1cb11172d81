"""Answers too small to be believed at once, from either side."""

from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import (
    OrderState,
)
from waldur_slurm.model.names import ROOT


@pytest.fixture
def site() -> Site:
    return new_site()


def test_a_doubt_that_grows_is_a_new_doubt(site: Site) -> None:
    """Half of the people drain for long; then the answer loses the others as well."""
    people = [f"user{number}" for number in range(10)]
    resource = served(site, *people)
    name = site.account_of(resource.uuid).name
    team = site.waldur.members[resource.project.uuid]
    leaving = sorted(team)[:5]
    for user in leaving:
        site.slurm.submit(site.waldur.usernames[user], name)
    site.wait(timedelta(minutes=1))
    for user in leaving:
        team.discard(user)
    for _ in range(5):
        site.run()
        site.wait(timedelta(minutes=10))

    for user in sorted(team)[:4]:
        team.discard(user)
    site.run()

    assert site.account_of(resource.uuid).users == set(people)


def test_a_slurm_without_the_default_account_is_no_proof_that_an_allocation_is_gone() -> None:
    site = new_site()
    resource = served(site, "ann")
    for name in list(site.accounts()):
        if name != ROOT:
            del site.slurm._accounts[name]
    order = site.waldur.place_terminate(resource.uuid)

    site.run()

    assert site.waldur.orders[order.uuid].state is not OrderState.DONE


def test_while_the_list_of_resources_is_doubted_no_empty_parent_goes(site: Site) -> None:
    resource = served(site)
    parent = site.account_of(resource.uuid).parent
    served(site)
    site.waldur.place_terminate(resource.uuid)
    site.settle()
    site.wait(timedelta(hours=25))
    site.waldur.resources.clear()

    site.run()

    assert parent in site.accounts()


def test_a_list_of_resources_that_halved_is_doubted(site: Site) -> None:
    resources = [served(site) for _ in range(8)]
    for resource in resources[:4]:
        del site.waldur.resources[resource.uuid]

    assert site.run().doubts == ("resources",)
