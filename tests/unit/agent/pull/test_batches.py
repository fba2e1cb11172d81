"""Batches are only quicker: a Slurm that takes one thing at a time comes to hold the same."""

from collections.abc import Collection, Mapping, Sequence

import pytest

from tests.fakes.pull import Site, new_site
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting, Outcome

TEAMS = {"alpha": ("ann", "bob"), "beta": ("bob",), "gamma": ("ann", "eve"), "delta": ()}


class BatchlessSlurm:
    """Refuses whatever is more than one account, or one person in one account."""

    def __init__(self, slurm: Accounting) -> None:
        self._slurm = slurm

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def add_accounts(self, accounts: Sequence[NewAccount]) -> Outcome:
        if len(accounts) > 1:
            raise refused("one at a time")
        return self._slurm.add_accounts(accounts)

    def add_users(self, memberships: Mapping[AccountName, Collection[UserName]]) -> Outcome:
        if sum(map(len, memberships.values())) > 1:
            raise refused("one at a time")
        return self._slurm.add_users(memberships)


def filled(site: Site) -> Site:
    for team, users in TEAMS.items():
        project = site.waldur.make_project()
        for user in users:
            site.waldur.add_member(project, user)
        site.waldur.place_create(project, team, {"gpu": len(team), "mem": 10})
    site.settle()
    return site


@pytest.mark.parametrize("dialect", list(Dialect))
def test_with_and_without_batches_both_sides_hold_the_same(dialect: Dialect) -> None:
    batched, batchless = new_site(dialect), new_site(dialect)
    batchless.wrap_slurm = lambda slurm: BatchlessSlurm(slurm)  # type: ignore[assignment, return-value]  # all else is passed on
    filled(batched)
    filled(batchless)

    assert batched.accounts() == batchless.accounts()
    assert batched.waldur.orders == batchless.waldur.orders
    assert batched.waldur.resources == batchless.waldur.resources
    assert batched.slurm.calls["add_users"] == 1
    assert batchless.slurm.calls["add_users"] == sum(map(len, TEAMS.values()))
