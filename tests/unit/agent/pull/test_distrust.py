"""What a distrustful reader tried: half-done work, names that lie, and trouble that spreads."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from tests.fakes.pull import Site, new_site
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Order,
    OrderState,
    Resource,
    ResourceState,
)
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.world.choices import Allowance, JobPolicy
from waldur_slurm.agent.pull.world.taken import BrakeKind
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.errors import TransportError
from waldur_slurm.model.accounts import Account, Association, Snapshot
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.tres import tres_name
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.port import Accounting, Outcome
from waldur_slurm.slurm.grammar.evidence import is_silence

GPU = tres_name("gres/gpu")


@pytest.fixture
def site() -> Site:
    return new_site()


def served(site: Site, *people: str, limits: Mapping[str, object] | None = None) -> Resource:
    """An allocation that is there, with its people in it."""
    project = site.waldur.make_project()
    for user in people:
        site.waldur.add_member(project, user)
    order = site.waldur.place_create(project, "alloc", limits or {"gpu": 1})
    site.settle()
    assert order.resource is not None
    return site.waldur.resources[order.resource]


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


@pytest.mark.parametrize("dialect", [Dialect.CLASSIC, Dialect.TRANSITION])
def test_a_brake_on_people_does_not_stop_an_order_of_their_resource(dialect: Dialect) -> None:
    site = new_site(dialect)
    resource = served(site, "ann", "bob", "cy")
    site.change_policy(max_removals=Allowance(1, Fraction(0)))
    for user in sorted(site.waldur.members[resource.project.uuid])[:2]:
        site.waldur.remove_member(resource.project, user)
    order = site.waldur.place_update(resource.uuid, {"gpu": 5})

    report = site.run()

    assert report.is_brake_active
    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert site.account_of(resource.uuid).limits[GPU] == 300
    assert site.account_of(resource.uuid).users == {"ann", "bob", "cy"}


def test_who_cannot_be_given_another_default_account_is_not_removed(site: Site) -> None:
    first = served(site, "ann", "bob")
    second = served(site)
    ann = next(u for u, name in site.waldur.usernames.items() if name == "ann")
    site.waldur.members[second.project.uuid].add(ann)
    site.settle()
    site.waldur.remove_member(first.project, ann)
    site.slurm.calls.clear()
    site.slurm.fail_next(refused("no"), on="set_default_account")

    site.run()
    site.run()

    assert site.slurm.calls["remove_users"] == 0
    assert "ann" in site.account_of(first.uuid).users


class Unheard:
    """Waldur whose one order cannot be read: its resource is listed, the order is not."""

    def __init__(self, waldur: Marketplace) -> None:
        self._waldur = waldur

    def __getattr__(self, name: str) -> object:
        return getattr(self._waldur, name)

    def read_orders(self) -> tuple[Order, ...]:
        return ()


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("ordered", ["update", "terminate"])
@pytest.mark.parametrize("is_executing", [False, True])
def test_an_order_that_cannot_be_read_takes_nothing_away(
    dialect: Dialect, ordered: str, *, is_executing: bool
) -> None:
    site = new_site(dialect)
    resource = served(site, "ann", "bob")
    if ordered == "update":
        order = site.waldur.place_update(resource.uuid, {"gpu": 9})
    else:
        order = site.waldur.place_terminate(resource.uuid)
    if is_executing:
        site.waldur.begin(order.uuid)
    before = site.accounts()
    site.wrap_waldur = Unheard  # type: ignore[assignment]  # a port by __getattr__

    for _ in range(4):
        site.wait(timedelta(hours=20))
        site.run()

    assert site.accounts() == before


class NoHomes:
    """Slurm whose helper that makes homes is missing, or hangs."""

    def __init__(self, slurm: Accounting) -> None:
        self._slurm = slurm

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def make_home(self, user: UserName) -> Outcome:
        raise TransportError(f"mkhomedir_helper {user}: no such file")


def test_a_helper_that_makes_no_homes_stops_nothing_else(site: Site) -> None:
    site.change_policy(create_homes=True)
    site.wrap_slurm = NoHomes  # type: ignore[assignment]  # a port by __getattr__
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})

    site.run()
    site.run()
    other = site.waldur.place_create(project, "other", {"gpu": 1})
    site.run()

    assert site.waldur.orders[order.uuid].state is OrderState.DONE
    assert site.waldur.orders[other.uuid].state is OrderState.DONE


@pytest.mark.parametrize(
    ("by_hand", "restored"),
    [((3, 0), (3, 9)), ((0, 4), (5, 4)), ((None, 0), (None, 9)), ((3, 4), (3, 4))],
    ids=["jobs", "submissions", "jobs without end", "both"],
)
@pytest.mark.parametrize("is_paused_still", [True, False])
def test_what_an_administrator_changes_in_a_pause_does_not_hold_for_ever(
    site: Site,
    by_hand: tuple[int | None, int | None],
    restored: tuple[int | None, int | None],
    *,
    is_paused_still: bool,
) -> None:
    resource = served(site)
    name = site.account_of(resource.uuid).name
    site.slurm.put(replace(site.accounts()[name], grp_jobs=5, grp_submit_jobs=9))
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=True
    )
    site.settle()
    jobs, submissions = by_hand
    site.slurm.put(replace(site.accounts()[name], grp_jobs=jobs, grp_submit_jobs=submissions))
    if is_paused_still:
        site.settle()
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=False
    )

    site.settle()

    account = site.accounts()[name]
    assert (account.grp_jobs, account.grp_submit_jobs) == restored


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


@pytest.mark.parametrize("name", ["hpc_12345_timeout", "hpc_1_slurm_persist_conn", "hpc_timeout-2"])
def test_a_name_that_a_customer_chose_is_not_taken_for_silence(name: str) -> None:
    words = (
        f" Error with request: Job(s) active, cancel job(s) before remove\n  JobID = 3 A = {name}"
    )

    assert not is_silence(Completed(1, "", words))


@pytest.mark.parametrize(
    "words",
    [
        "sacctmgr: error: Timeout waiting for slurmdbd",
        "Socket timed out on send/recv operation",
        "sacctmgr: error: slurm_persist_conn_open: connect",
    ],
)
def test_silence_is_still_heard(words: str) -> None:
    assert is_silence(Completed(1, "", words))


class Meanwhile:
    """Slurm in which an administrator does something between the plan and the removal."""

    def __init__(self, slurm: Accounting, change: Callable[[], None]) -> None:
        self._slurm = slurm
        self._change = change

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def read_accounts(self, names: list[AccountName]) -> Snapshot:
        self._change()
        return self._slurm.read_accounts(names)


def under(site: Site, name: AccountName) -> None:
    site.slurm.put(Account(AccountName("side"), "an admin's", "x", parent=name))


def marked_by_another(site: Site, name: AccountName) -> None:
    account = site.accounts()[name]
    theirs = account.description.replace(site.waldur.offering.uuid, "9" * 32)
    site.slurm.put(replace(account, description=theirs))


def unmarked(site: Site, name: AccountName) -> None:
    site.slurm.put(replace(site.accounts()[name], description="mine now"))


def peopled(site: Site, name: AccountName) -> None:
    by_hand = Association(UserName("eve"))
    site.slurm.put(replace(site.accounts()[name], associations=(by_hand,)))


@pytest.mark.parametrize("change", [under, marked_by_another, unmarked, peopled])
def test_what_came_to_be_since_the_plan_keeps_the_account(
    site: Site, change: Callable[[Site, AccountName], None]
) -> None:
    resource = served(site)
    name = site.account_of(resource.uuid).name
    order = site.waldur.place_terminate(resource.uuid)
    site.wrap_slurm = lambda slurm: Meanwhile(slurm, lambda: change(site, name))  # type: ignore[assignment, return-value]  # a port by __getattr__

    site.run()

    assert name in site.accounts()
    assert site.slurm.calls["remove_accounts"] == 0
    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING


def test_a_hold_that_a_lost_journal_no_longer_knows_is_shown_and_kept(site: Site) -> None:
    resource = served(site)
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=True
    )
    site.settle()
    site.state.documents.clear()
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid], is_paused=False
    )

    report = site.run()

    account = site.account_of(resource.uuid)
    assert (account.grp_jobs, account.grp_submit_jobs) == (0, 0)
    assert [(d.kind, d.subject) for d in report.drifts] == [(DriftKind.HOLD, account.name)]


def test_of_two_accounts_with_a_projects_mark_the_one_of_its_name_is_its(site: Site) -> None:
    resource = served(site)
    parent = site.accounts()[AccountName(str(site.account_of(resource.uuid).parent))]
    site.slurm.put(replace(parent, name=AccountName("aaa"), parent=ROOT))

    order = site.waldur.place_create(resource.project, "second", {"gpu": 1})
    site.settle()

    assert site.account_of(order.resource).parent == parent.name


def test_a_name_by_which_waldur_knows_another_allocation_is_not_given_again(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    name = f"hpc_{str(order.resource)[:5]}_alloc"
    site.waldur.make_resource(project, "lost its account", backend_id=name)

    site.settle()

    assert site.account_of(order.resource).name != name
    assert name not in site.accounts()


def test_another_offerings_mark_for_the_same_resource_makes_nothing_ours(site: Site) -> None:
    resource = served(site, "ann")
    marked_by_another(site, site.account_of(resource.uuid).name)
    before = site.accounts()
    order = site.waldur.place_terminate(resource.uuid)

    report = site.run()

    assert site.accounts() == before
    assert RefusalKind.NOT_OURS in {refusal.kind for refusal in report.refusals}
    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING


def test_a_protected_name_is_not_given_to_an_allocation(site: Site) -> None:
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    name = AccountName(f"hpc_{str(order.resource)[:5]}_alloc")
    site.change_policy(protected_accounts=frozenset({name}))

    site.settle()

    assert site.account_of(order.resource).name != name
    assert name not in site.accounts()


def test_a_protected_name_is_not_given_to_a_project(site: Site) -> None:
    project = site.waldur.make_project()
    name = AccountName(f"hpc_{project.uuid}")
    site.change_policy(protected_accounts=frozenset({name}))
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})

    report = site.run()

    assert name not in site.accounts()
    assert [(r.kind, r.subject) for r in report.refusals] == [(RefusalKind.SITE, order.uuid)]


@pytest.mark.parametrize("flag", ["is_paused", "is_downscaled"])
def test_more_holds_than_allowed_are_cut(site: Site, flag: str) -> None:
    resource = served(site)
    site.change_policy(max_removals=Allowance(0, Fraction(0)), downscaled_qos="normal")
    before = site.accounts()
    changes: dict[str, bool] = {flag: True}
    site.waldur.resources[resource.uuid] = replace(
        site.waldur.resources[resource.uuid],
        **changes,  # type: ignore[arg-type]  # a typo fails at once
    )

    report = site.run()

    assert site.accounts() == before
    assert [brake.kind for brake in report.brakes] == [BrakeKind.HOLDS]


@pytest.mark.parametrize("leavers", list(JobPolicy))
@pytest.mark.parametrize("is_held", [False, True])
def test_the_brake_covers_people_whose_jobs_still_run(
    site: Site, leavers: JobPolicy, *, is_held: bool
) -> None:
    resource = served(site, "ann", "bob", "cy")
    site.change_policy(max_removals=Allowance(0, Fraction(0)), leavers=leavers)
    account = site.account_of(resource.uuid)
    job = site.slurm.submit("ann", account.name)
    site.wait(timedelta(minutes=1))
    if is_held:
        site.slurm.set_user_hold(account.name, UserName("ann"), 0)
    ann = next(u for u, name in site.waldur.usernames.items() if name == "ann")
    site.waldur.remove_member(resource.project, ann)
    before = site.accounts()

    report = site.run()

    assert site.accounts() == before
    assert job.end is None
    assert bool(report.brakes) is not (is_held and leavers is JobPolicy.DRAIN)


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
