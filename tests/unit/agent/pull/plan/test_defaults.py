"""Nobody is left without a default account, or with one that he should not have."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from tests.fakes.makers import resource
from tests.fakes.pull import Site, new_site, served
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUuid, Resource, UserUuid
from waldur_slurm.agent.pull.desired.allocations import Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.defaults import with_defaults
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import AddUser, RemoveUser, SetDefaultAccount
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.ownership import Ownership
from waldur_slurm.agent.pull.world.people import Turnover, roster_of
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.agent.pull.world.world import Answers, WaldurSide, World
from waldur_slurm.model.accounts import Account, Association, Snapshot
from waldur_slurm.model.names import ROOT, AccountName, UserName

ANN, BOB = UserName("ann"), UserName("bob")
HERE, DEFAULT = AccountName("hpc_here"), AccountName("waldur")
STAYING, LATER, FOREIGN, PARTLY = map(AccountName, ("hpc_y", "hpc_x", "b_theirs", "a_part"))
BEST_FIRST = [STAYING, FOREIGN, DEFAULT, LATER, PARTLY]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_world(*accounts: Account, managed: frozenset[AccountName] = frozenset()) -> Desired:
    """In `LATER` ann's jobs have to end before she leaves it."""
    leaving = Turnover(leavers=(Association(ANN),))
    kept = [
        Kept(
            resource=resource(backend_id=each.name),
            order=None,
            found=each,
            description="",
            is_adopted=False,
            limits=None,
            people=(),
            turnover=leaving if each.name == LATER else Turnover(),
            parent=None,
        )
        for each in accounts
        if each.name in managed
    ]
    world = World(
        offering=OfferingUuid("f" * 32),
        dialect=Dialect.TODAY,
        now=NOON,
        waldur=WaldurSide(orders=(), resources=(), members={}, offering_users=(), shown=None),
        snapshot=Snapshot({each.name: each for each in accounts}),
        components=(),
        policy=PullPolicy(default_account=DEFAULT),
    )
    ownership, roster = Ownership(world), roster_of(world)
    return Desired(world=world, ownership=ownership, roster=roster, kept=kept)


def an_account(name: AccountName) -> Account:
    partition = "gpu" if name == PARTLY else ""
    return Account(name, "", "", ROOT, associations=(Association(ANN, partition=partition),))


def leaves(account: AccountName = HERE, user: UserName = ANN) -> RemoveUser:
    return RemoveUser(account=account, user=user, reason="left")


def answers(**defaults: str) -> Answers:
    return Answers(
        default_accounts={UserName(user): AccountName(name) for user, name in defaults.items()}
    )


@pytest.mark.parametrize("which", range(len(BEST_FIRST)))
def test_the_best_of_the_places_that_are_left_becomes_the_default_account(which: int) -> None:
    places = map(an_account, [HERE, *BEST_FIRST[which:]])
    desired = a_world(*places, managed=frozenset({HERE, STAYING, LATER, PARTLY}))

    steps = with_defaults(desired, answers(ann=HERE), [leaves()])

    moved = SetDefaultAccount(user=ANN, account=BEST_FIRST[which], leaving=HERE)
    assert steps == (moved, leaves())


def test_of_two_places_that_are_alike_the_first_by_name_becomes_the_default_account() -> None:
    desired = a_world(*map(an_account, [HERE, FOREIGN, AccountName("b_ours")]))

    (moved, _) = with_defaults(desired, answers(ann=HERE), [leaves()])

    assert isinstance(moved, SetDefaultAccount)
    assert moved.account == "b_ours"


def test_where_somebody_comes_in_now_may_be_his_default_account() -> None:
    coming = AddUser(account=STAYING, user=ANN)

    steps = with_defaults(a_world(an_account(HERE)), answers(ann=HERE), [leaves(), coming])

    moved = SetDefaultAccount(user=ANN, account=STAYING, leaving=HERE)
    assert steps == (coming, moved, leaves())


def test_whoever_leaves_all_places_leaves_his_default_account_last() -> None:
    desired = a_world(*map(an_account, [HERE, FOREIGN]))

    steps = with_defaults(desired, answers(ann=HERE), [leaves(), leaves(FOREIGN)])

    assert steps == (leaves(FOREIGN), replace(leaves(), stage=Stage.LAST_PLACES_OUT))


def test_who_leaves_another_account_keeps_his_default_one() -> None:
    desired = a_world(*map(an_account, [HERE, FOREIGN]))

    assert with_defaults(desired, answers(ann=FOREIGN), [leaves()]) == (leaves(),)
    assert with_defaults(desired, answers(), [leaves()]) == (leaves(),)
    assert with_defaults(desired, answers(bob=HERE), [leaves()]) == (leaves(),)


@pytest.fixture
def site() -> Site:
    return new_site()


def in_two_accounts(site: Site) -> tuple[Resource, Resource, UserUuid]:
    """bob has been in the first account longer, so that it is his default one."""
    first = served(site, ANN, BOB)
    second = served(site)
    (bob,) = (user for user, name in site.waldur.usernames.items() if name == BOB)
    site.waldur.members[second.project.uuid].add(bob)
    site.settle()
    assert site.slurm.read_default_accounts([BOB])[BOB] == site.account_of(first.uuid).name
    return first, second, bob


def doubted(site: Site, second: Resource, bob: UserUuid) -> None:
    """He was the only one of the team, which is suddenly empty."""
    site.waldur.remove_member(second.project, bob)


def by_hand(site: Site, second: Resource, bob: UserUuid) -> None:
    account = site.account_of(second.uuid)
    in_a_partition = Association(BOB, partition="gpu")
    site.slurm.put(replace(account, associations=(*account.associations, in_a_partition)))
    site.waldur.add_member(second.project, "eve")
    site.waldur.remove_member(second.project, bob)


def resting(site: Site, second: Resource, bob: UserUuid) -> None:
    site.waldur.add_member(second.project, "eve")
    site.settle()
    site.waldur.remove_member(second.project, bob)
    site.slurm.fail_next(refused("no"), on="remove_users")
    assert site.run().quarantined


def cut(site: Site, second: Resource, _bob: UserUuid) -> None:
    site.change_policy(max_terminations=0)
    site.waldur.place_terminate(second.uuid)


@pytest.mark.parametrize("stays_since", [doubted, by_hand, resting, cut])
def test_the_default_account_moves_to_where_a_leaver_stays_as_his_removal_is_not_done(
    site: Site, stays_since: Callable[[Site, Resource, UserUuid], None]
) -> None:
    first, second, bob = in_two_accounts(site)
    stays_since(site, second, bob)
    site.waldur.remove_member(first.project, bob)

    report = site.run()

    assert report.failures == ()
    assert site.account_of(first.uuid).users == {ANN}
    there = site.account_of(second.uuid)
    assert BOB in there.users
    assert site.slurm.read_default_accounts([BOB]) == {BOB: there.name}


def test_whoever_cannot_leave_another_account_keeps_his_default_one_and_leaves_it_later(
    site: Site,
) -> None:
    first, second, bob = in_two_accounts(site)
    site.change_policy(max_removals=Allowance(10, Fraction(1)))
    site.waldur.add_member(second.project, "eve")
    site.settle()
    for each in (first, second):
        site.waldur.remove_member(each.project, bob)
    site.slurm.fail_next(refused("no"), on="remove_users")

    report = site.run()

    name, other = site.account_of(first.uuid).name, site.account_of(second.uuid).name
    assert site.slurm.read_default_accounts([BOB]) == {BOB: name}
    assert [str(failure.error) for failure in report.failures[1:]] == [
        "it is the user's default account, and another one could not be left"
    ]
    assert report.quarantined == (f"{other}/bob",), "the default account's own is a matter of time"
    site.run()
    assert site.slurm.read_default_accounts([BOB]) == {BOB: other}
    assert site.account_of(first.uuid).users == {ANN}
