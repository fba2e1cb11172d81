"""How people leave and allocations end, when something comes in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import (
    OrderState,
    ResourceState,
)
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting, Outcome


@pytest.fixture
def site() -> Site:
    return new_site()


def test_an_ending_that_rests_does_not_let_people_back_in(site: Site) -> None:
    resource = served(site, "ann", "bob")
    site.waldur.place_terminate(resource.uuid)
    site.slurm.fail_next(refused("Job(s) active"), on="remove_accounts")
    assert site.run().quarantined

    site.run()

    account = site.account_of(resource.uuid)
    assert (account.grp_jobs, account.grp_submit_jobs) == (0, 0)
    assert account.users == frozenset()
    site.wait(timedelta(minutes=5))
    site.settle()
    assert account.name not in site.accounts()


def test_usage_since_a_termination_that_was_taken_back_is_reported_at_the_next(site: Site) -> None:
    resource = served(site, "ann")
    order = site.waldur.place_terminate(resource.uuid)
    site.slurm.fail_next(refused("Job(s) active"), on="remove_accounts")
    site.run()
    assert len(site.desk.reported) == 1
    site.waldur.orders[order.uuid] = replace(site.waldur.orders[order.uuid], state=OrderState.ERRED)
    site.waldur._move(resource.uuid, ResourceState.OK)
    site.wait(timedelta(days=30))
    site.settle()

    site.waldur.place_terminate(resource.uuid)
    site.settle()

    assert len(site.desk.reported) == 2


class SharedRecords:
    """A slurmdbd in which some accounts are in use in another cluster too."""

    def __init__(self, slurm: Accounting, shared: set[AccountName], site: Site) -> None:
        self._slurm = slurm
        self._shared = shared
        self._site = site

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def remove_accounts(self, names: list[AccountName]) -> Outcome:
        kept = {n: a for n, a in self._site.accounts().items() if n in names and n in self._shared}
        if all(account.parent is None for account in kept.values()) and len(kept) == len(names):
            self._slurm.read_snapshot()
            return Outcome.ALREADY_SO
        outcome = self._slurm.remove_accounts(names)
        for name, account in kept.items():
            self._site.slurm.put(
                Account(name, account.description, account.organization, parent=None)
            )
        return outcome


@pytest.mark.parametrize("level", ["allocation", "project"])
def test_an_account_that_another_cluster_uses_too_ends_in_this_one(site: Site, level: str) -> None:
    resource = served(site, "ann")
    site.change_policy(empty_account_grace=timedelta())
    account = site.account_of(resource.uuid)
    shared = {account.name if level == "allocation" else AccountName(str(account.parent))}
    site.wrap_slurm = lambda slurm: SharedRecords(slurm, shared, site)  # type: ignore[assignment, return-value]  # a port by __getattr__
    order = site.waldur.place_terminate(resource.uuid)

    reports = [site.run() for _ in range(3)]

    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert [report.failures for report in reports] == [()] * 3
    assert reports[-1].is_idle
    assert site.plan().plan.steps == ()


def test_associations_of_one_partition_stop_an_ending_before_it_begins(site: Site) -> None:
    resource = served(site, "ann")
    account = site.account_of(resource.uuid)
    by_hand = Association(UserName("eve"), partition="gpu")
    site.slurm.put(replace(account, associations=(*account.associations, by_hand)))
    order = site.waldur.place_terminate(resource.uuid)

    report = site.run()

    assert report.failures == ()
    assert [(r.kind, r.subject) for r in report.refusals] == [(RefusalKind.SITE, order.uuid)]
    assert site.accounts()[account.name].users == {"ann"}
