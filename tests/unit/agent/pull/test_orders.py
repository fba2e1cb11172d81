"""What becomes of orders that meet an odd world: each waits, goes on or is refused for a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    OrderType,
    ProjectUuid,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.errors import StateError, TransportError
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting


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


def terminated(site: Site) -> OrderState:
    (order,) = (o for o in site.waldur.orders.values() if o.type is OrderType.TERMINATE)
    return order.state


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


def test_an_allocation_with_accounts_below_it_does_not_end(site: Site) -> None:
    below = Account(AccountName("sub"), "an admin's", "x", parent=account(site).name)
    site.slurm.put(below)
    site.waldur.place_terminate(the_resource(site))
    before = site.accounts()

    report = site.run()

    assert site.accounts() == before
    assert "has accounts below it: sub" in report.refusals[0].reason


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

    assert steps.index("account.adopted") < steps.index("account.held")
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


def test_an_allocation_without_its_account_is_shown_and_not_made_again(site: Site) -> None:
    name = account(site).name
    site.slurm.remove_users(name, account(site).users)
    site.slurm.remove_accounts([name])

    assert site.run().is_idle
    drifts = site.plan().plan.drifts
    assert [(drift.kind, drift.wanted) for drift in drifts] == [(DriftKind.MISSING, name)]
    update = site.waldur.place_update(the_resource(site), {"gpu": 2})
    site.run()
    assert site.waldur.orders[update.uuid].state is OrderState.EXECUTING


def test_orders_of_a_kind_that_is_not_known_are_left_alone(site: Site) -> None:
    order = site.waldur.place_update(the_resource(site), {"gpu": 2})
    site.waldur.orders[order.uuid] = replace(order, type=OrderType.OTHER)

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.SITE]


def test_resources_in_a_state_that_is_not_known_are_left_alone(site: Site) -> None:
    site.waldur._move(the_resource(site), ResourceState.OTHER)
    site.waldur.add_member(site.waldur.resources[the_resource(site)].project, "eve")

    assert site.run().is_idle


def test_an_order_whose_resource_is_not_made_yet_is_approved_and_waits(site: Site) -> None:
    project = site.waldur.make_project("Later")
    order = site.waldur.place_create(project, "later", {"gpu": 1})
    resource = order.resource
    assert resource is not None
    site.waldur.orders[order.uuid] = replace(order, resource=None)

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.WAITING]
    executing = site.waldur.orders[order.uuid]
    site.waldur.orders[order.uuid] = replace(executing, resource=resource)
    site.settle()
    assert site.waldur.orders[order.uuid].state is OrderState.DONE


@pytest.mark.parametrize("dialect", [Dialect.TRANSITION, Dialect.CLASSIC])
def test_where_names_are_the_hidden_allocations_the_order_waits_for_it(dialect: Dialect) -> None:
    site = new_site(dialect)
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    assert order.resource is not None
    made = site.waldur.resources[order.resource]
    site.waldur.resources[made.uuid] = replace(made, allocation_uuid="")

    site.run()
    assert not any(name.startswith("hpc_") for name in site.accounts())
    site.waldur.resources[made.uuid] = replace(made, allocation_uuid="f" * 32)
    site.settle()

    assert site.account_of(made.uuid).name == "hpc_fffff_alloc"


def test_a_uuid_that_is_none_is_that_resources_trouble_alone(site: Site) -> None:
    project = site.waldur.make_project("Broken")
    broken = site.waldur.make_resource(project, "broken")
    site.waldur.resources[ResourceUuid("a,b")] = replace(broken, uuid=ResourceUuid("a,b"))
    del site.waldur.resources[broken.uuid]
    site.waldur.add_member(site.waldur.resources[first(site)].project, "eve")

    report = site.run()

    assert site.account_of(first(site)).users == {"ann", "bob", "eve"}
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.UNSAFE_NAME]


def first(site: Site) -> ResourceUuid:
    return min(site.waldur.resources)


def test_an_order_from_a_project_that_is_none_is_refused(site: Site) -> None:
    project = replace(site.waldur.make_project("Odd"), uuid=ProjectUuid("../etc"))
    site.waldur.members[project.uuid] = set()
    order = site.waldur.place_create(project, "odd", {"gpu": 1})

    report = site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.PENDING_PROVIDER
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.INVALID_ORDER]


def test_a_mark_on_two_accounts_stops_that_allocation(site: Site) -> None:
    site.slurm.put(replace(account(site), name=AccountName("hpc_copy"), associations=()))
    site.waldur.add_member(site.waldur.resources[the_resource(site)].project, "eve")
    before = site.accounts()

    site.run()

    assert site.accounts() == before


def test_an_update_without_limits_changes_none(site: Site) -> None:
    before = account(site).limits
    order = site.waldur.place_update(the_resource(site), {})

    site.settle()

    assert account(site).limits == before
    assert site.waldur.orders[order.uuid].state is OrderState.DONE


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


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("ledger", {"accounts": {"a": {"hold": 7}}}),
        ("ledger", {"accounts": {"a": {"empty_since": "2026-11-21T12:00:00"}}}),
        ("brake", {"people": {"count": 1, "size": 4}}),
        ("brake", {"people": 3}),
        ("removals", {"people": {"a/u": "yesterday"}}),
        ("removals", {"other": {}}),
        ("quarantine", {"a": {"failures": 1, "why": ""}}),
        ("quarantine", {"a": {"failures": 1, "until": "2026-11-21T12:00:00", "why": ""}}),
    ],
)
def test_a_broken_journal_stops_the_cycle_before_it_begins(
    site: Site, name: str, document: dict[str, object]
) -> None:
    site.state.documents[f"journal/{name}"] = document
    calls = site.slurm.calls.copy()

    with pytest.raises(StateError, match=f"journal/{name}.json in the state directory does not"):
        site.run()

    assert site.slurm.calls == calls
