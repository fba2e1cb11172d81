"""How an allocation ends: only when it is certain, and jobs first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    OrderType,
    ResourceUuid,
)
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.world.choices import JobPolicy
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.errors import TransportError
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting


@pytest.fixture
def site() -> Site:
    """One allocation with ann and bob in it."""
    site = new_site()
    served(site, "ann", "bob")
    return site


def the_resource(site: Site) -> ResourceUuid:
    (uuid,) = site.waldur.resources
    return uuid


def account(site: Site) -> Account:
    return site.account_of(the_resource(site))


def test_while_the_queue_is_unknown_nobody_leaves_and_newcomers_come(site: Site) -> None:
    project = site.waldur.resources[the_resource(site)].project
    (bob,) = (user for user, name in site.waldur.usernames.items() if name == "bob")
    site.waldur.remove_member(project, bob)
    site.waldur.add_member(project, "eve")
    site.slurm.fail_next(TransportError("slurmctld is down"), on="read_queue")
    site.slurm.fail_next(TransportError("slurmctld is down"), on="read_queue")

    report = site.run()

    assert account(site).users == {"ann", "bob", "eve"}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.UNKNOWN]


def terminated(site: Site) -> OrderState:
    (order,) = (o for o in site.waldur.orders.values() if o.type is OrderType.TERMINATE)
    return order.state


def test_while_the_queue_is_unknown_no_allocation_ends(site: Site) -> None:
    site.waldur.place_terminate(the_resource(site))
    for _ in range(5):
        site.slurm.fail_next(TransportError("slurmctld is down"), on="read_queue")

    site.run()

    assert account(site).users == {"ann", "bob"}
    assert terminated(site) is OrderState.EXECUTING


def test_a_job_that_came_in_before_the_hold_is_waited_for(site: Site) -> None:
    name = account(site).name
    site.waldur.place_terminate(the_resource(site))
    site.wrap_slurm = lambda slurm: Sneaky(site, slurm, name)  # type: ignore[assignment, return-value]  # a port by __getattr__

    report = site.run()

    assert terminated(site) is OrderState.EXECUTING
    assert account(site).users == {"ann", "bob"}
    assert report.quarantined == (), "it is only a matter of time"
    site.wrap_slurm = lambda slurm: slurm
    site.settle()
    assert terminated(site) is OrderState.DONE
    assert [job.state for job in site.slurm.jobs] == ["CANCELLED"]


class Sneaky:
    """Somebody submits right before the account is held."""

    def __init__(self, site: Site, slurm: Accounting, account: AccountName) -> None:
        self._site, self._slurm, self._account = site, slurm, account

    def __getattr__(self, name: str) -> object:
        if name == "set_account_hold":
            self._site.slurm.submit("ann", self._account)
        return getattr(self._slurm, name)


@pytest.mark.parametrize("has_left", [True, False], ids=["a leaver", "an ending"])
def test_who_waits_for_jobs_says_for_how_many(site: Site, *, has_left: bool) -> None:
    site.change_policy(terminated_jobs=JobPolicy.DRAIN, leavers=JobPolicy.DRAIN)
    name = account(site).name
    for user in ("bob", "bob", "ann"):
        site.slurm.submit(user, name)
    site.wait(timedelta(minutes=1))
    if has_left:
        resource = site.waldur.resources[the_resource(site)]
        (bob,) = (user for user, known in site.waldur.usernames.items() if known == "bob")
        site.waldur.remove_member(resource.project, bob)
        wanted = Refusal(RefusalKind.WAITING, f"{name}/bob", "2 jobs have not ended")
    else:
        order = site.waldur.place_terminate(the_resource(site))
        wanted = Refusal(RefusalKind.WAITING, order.uuid, "3 jobs have not ended")

    report = site.run()

    assert report.refusals == (wanted,)
    assert account(site).users == {"ann", "bob"}


def test_an_allocation_with_accounts_below_it_does_not_end(site: Site) -> None:
    below = Account(AccountName("sub"), "an admin's", "x", parent=account(site).name)
    site.slurm.put(below)
    site.waldur.place_terminate(the_resource(site))
    before = site.accounts()

    report = site.run()

    assert site.accounts() == before
    assert "has accounts below it: sub" in report.refusals[0].reason


OBSTACLES = {
    "account {} has accounts below it: sub0, sub1, sub2": "children",
    "account {} holds the protected user ann": "protected",
    "account {} lets ann into a partition, by hand": "partitions",
}


@pytest.mark.parametrize(("why", "obstacle"), OBSTACLES.items(), ids=OBSTACLES.values())
def test_what_stops_an_ending_is_named_in_short(site: Site, why: str, obstacle: str) -> None:
    found = account(site)
    match obstacle:
        case "children":
            for number in range(4):
                name = AccountName(f"sub{number}")
                site.slurm.put(Account(name, "an admin's", "x", parent=found.name))
        case "protected":
            site.change_policy(protected_users=found.users)
        case _:
            by_hand = (Association(user, partition="gpu") for user in sorted(found.users))
            everybody = (*found.associations, *by_hand)
            site.slurm.put(replace(found, associations=everybody))
    order = site.waldur.place_terminate(the_resource(site))

    report = site.run()

    assert report.refusals == (Refusal(RefusalKind.SITE, order.uuid, why.format(found.name)),)


def test_an_allocation_that_never_had_an_account_ends_without_a_last_usage() -> None:
    site = new_site()
    resource = site.waldur.make_resource(site.waldur.make_project(), "r")
    site.waldur.place_terminate(resource.uuid)

    site.settle()

    assert terminated(site) is OrderState.DONE
    assert site.desk.reported == []


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_end_of_an_allocation_does_not_call_it_ok(dialect: Dialect) -> None:
    site = new_site(dialect)
    resource = served(site, "ann")
    site.waldur.writes.clear()
    site.waldur.place_terminate(resource.uuid)

    site.settle()

    assert terminated(site) is OrderState.DONE
    told = {write.method for write in site.waldur.writes}
    assert told <= {"approve_order", "tell_no_association", "tell_order_done"}


@pytest.mark.parametrize("what", ["account", "user"])
def test_what_is_protected_does_not_end(site: Site, what: str) -> None:
    if what == "account":
        site.change_policy(protected_accounts=frozenset({account(site).name}))
    else:
        site.change_policy(protected_users=frozenset({UserName("ann")}))
    site.waldur.place_terminate(the_resource(site))
    before = site.accounts()

    site.run()

    assert site.accounts() == before
    assert terminated(site) is OrderState.EXECUTING


def test_an_account_of_the_original_agent_ends_only_once_it_is_adopted() -> None:
    site = new_site()
    project = site.waldur.make_project()
    resource = site.waldur.make_resource(project, "old", backend_id="hpc_old")
    site.slurm.put(Account(AccountName("hpc_old"), "old", f"hpc_{project.uuid}", parent=ROOT))
    site.waldur.place_terminate(resource.uuid)

    steps = [step.event for step in site.plan().plan.steps]
    site.settle()

    assert steps.index("account.held") < steps.index("account.adopted")
    assert steps.index("account.adopted") < steps.index("account.removed")
    assert AccountName("hpc_old") not in site.accounts()
    assert terminated(site) is OrderState.DONE


def test_an_account_that_is_gone_already_ends_with_its_last_usage_once_that_is_believed() -> None:
    site = new_site()
    resource = site.waldur.make_resource(site.waldur.make_project(), "r", backend_id="hpc_gone")
    site.waldur.place_terminate(resource.uuid)

    for _ in range(2):
        site.run()
        assert terminated(site) is OrderState.EXECUTING
        site.wait(timedelta(minutes=15))
    site.settle()

    assert terminated(site) is OrderState.DONE
    assert site.desk.reported == [(resource.uuid, "hpc_gone")]


def test_a_person_may_say_that_an_account_is_gone() -> None:
    site = new_site()
    resource = site.waldur.make_resource(site.waldur.make_project(), "r", backend_id="hpc_gone")
    site.waldur.place_terminate(resource.uuid)

    for _ in range(2):
        site.run(Consent(allow_removals=True))

    assert terminated(site) is OrderState.DONE


def test_an_account_that_a_short_listing_left_out_is_not_ended_in_waldur(site: Site) -> None:
    name = account(site).name
    site.waldur.place_terminate(the_resource(site))
    hidden = site.slurm._accounts.pop(name)

    site.run()

    assert terminated(site) is OrderState.EXECUTING
    site.slurm.put(hidden)
    site.settle()
    assert terminated(site) is OrderState.DONE
    assert name not in site.accounts()
    assert site.state.read("journal/ledger").get("accounts", {}).get(name) is None
