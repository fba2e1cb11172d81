"""People are in exactly the accounts that were named, with no right that nobody asked for."""

import pytest

from tests.contract.site import PARTITION, PEOPLE, Site
from waldur_slurm.errors import CommandFailed, InvalidName
from waldur_slurm.model.accounts import Association, NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.slurm.accounting.port import Outcome

ANN, BOB, EVE = PEOPLE


@pytest.fixture
def accounts(site: Site, top: AccountName) -> tuple[AccountName, AccountName]:
    left, right = AccountName(f"{top}-l"), AccountName(f"{top}-r")
    site.accounting.add_accounts([NewAccount(left, top, "", ""), NewAccount(right, top, "", "")])
    return left, right


@pytest.fixture
def somebody(top: AccountName) -> tuple[UserName, UserName, UserName]:
    """Three names that are in no account yet."""
    first, second, third = (UserName(f"{top}u{number}") for number in range(3))
    return first, second, third


def associations(site: Site, account: AccountName) -> dict[UserName, Association]:
    found = site.accounting.read_snapshot().accounts[account]
    return {each.user: each for each in found.associations}


def test_exactly_the_associations_asked_for_are_made(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, right = accounts
    first, second, _ = somebody
    before = site.inventory()
    assert site.accounting.add_users({left: [first, second], right: [second]}) is Outcome.CHANGED
    after = site.inventory()
    assert before <= after
    assert len(after - before) == 3
    assert set(associations(site, left)) == {first, second}
    assert set(associations(site, right)) == {second}


def test_a_user_who_is_there_is_not_touched(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, right = accounts
    first, second, _ = somebody
    site.accounting.add_users({left: [first]})
    site.accounting.set_user_hold(left, first, 0)
    before = site.inventory()
    assert site.accounting.add_users({left: [first]}) is Outcome.ALREADY_SO
    assert site.accounting.add_users({}) is Outcome.ALREADY_SO
    assert site.inventory() == before
    assert site.accounting.add_users({left: [first, second], right: [first]}) is Outcome.CHANGED
    after = site.inventory()
    assert before <= after
    assert len(after - before) == 2


def test_the_first_account_is_the_default_and_stays_it(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, right = accounts
    user = somebody[0]
    site.accounting.add_users({left: [user]})
    site.accounting.add_users({right: [user]})
    assert site.accounting.read_default_accounts([user]) == {user: left}


def test_default_accounts_are_told_of_those_who_are_asked_for_and_have_one(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, right = accounts
    first, second, nobody = somebody
    asked = site.accounting
    asked.add_users({left: [first], right: [second]})
    assert asked.read_default_accounts([first, second]) == {first: left, second: right}
    assert asked.read_default_accounts([second, nobody]) == {second: right}
    assert asked.read_default_accounts([]) == {}


def test_a_name_that_slurm_would_misread_tells_of_nobody_and_hides_nobody(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, _ = accounts
    first, second, _ = somebody
    hostile = [UserName(name) for name in (f"{second},a", "o'b", 'o"b', "a|b", "-n", "a\nb", "")]
    asked = site.accounting
    asked.add_users({left: [first, second]})
    assert asked.read_default_accounts([*hostile, first]) == {first: left}
    assert asked.read_default_accounts(hostile) == {}


def test_a_missing_account_is_refused_and_nobody_is_added(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, _ = accounts
    nowhere = AccountName(f"{left}-nobody")
    before = site.inventory()
    with pytest.raises(CommandFailed) as refused:
        site.accounting.add_users({left: somebody, nowhere: somebody})
    assert not refused.value.transient
    assert site.inventory() == before


def test_a_user_name_that_slurm_would_misread_never_reaches_it(
    site: Site, top: AccountName
) -> None:
    before = site.inventory()
    for hostile in ("", "a,b", "Alice", "u[1-2]", "a|b", "a b", "-n", "o'b", "a\nb", "x" * 65, "ü"):
        name = UserName(hostile)
        with pytest.raises(InvalidName):
            site.accounting.add_users({top: [name]})
        with pytest.raises(InvalidName):
            site.accounting.remove_users(top, [name])
        with pytest.raises(InvalidName):
            site.accounting.set_user_hold(top, name, 0)
        with pytest.raises(InvalidName):
            site.accounting.set_default_account(name, top)
    assert site.inventory() == before


def test_a_user_is_removed_from_one_account_only(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, right = accounts
    first, second, _ = somebody
    site.accounting.add_users({left: [first, second]})  # the default account is the first one
    site.accounting.add_users({right: [first]})
    before = site.inventory()
    assert site.accounting.remove_users(right, [first]) is Outcome.CHANGED
    assert site.accounting.remove_users(right, [first]) is Outcome.ALREADY_SO
    after = site.inventory()
    assert after <= before
    assert len(before - after) == 1
    assert set(associations(site, left)) == {first, second}


def test_people_leave_whether_or_not_it_is_their_default_account(
    site: Site, accounts: tuple[AccountName, AccountName], top: AccountName
) -> None:
    """In one command 22.05 refuses it when, by name, the one whose default it is comes last."""
    left, right = accounts
    users = [UserName(f"{top}{letter}") for letter in "abc"]
    for elsewhere in users:
        site.accounting.add_users({left: users, right: [elsewhere]})
        site.accounting.set_default_account(elsewhere, right)
        assert site.accounting.remove_users(left, users) is Outcome.CHANGED
        found = site.accounting.read_snapshot()
        assert found.accounts[left].users == frozenset()
        assert found.accounts[right].users == {elsewhere}
        assert site.accounting.read_default_accounts(users) == {elsewhere: right}
        site.accounting.remove_users(right, [elsewhere])


def test_whoever_is_elsewhere_in_a_partition_only_leaves_his_default_account(
    site: Site,
    accounts: tuple[AccountName, AccountName],
) -> None:
    """22.05 would let him go without another one, newer Slurm refuses to."""
    left, right = accounts
    site.accounting.add_users({left: [ANN]})
    site.add_to_partition(ANN, right)
    assert site.accounting.set_default_account(ANN, right) is Outcome.CHANGED
    assert site.accounting.remove_users(left, [ANN]) is Outcome.CHANGED
    assert associations(site, left) == {}
    assert associations(site, right)[ANN].partition == PARTITION


def test_somebody_whose_job_runs_cannot_be_removed(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, _ = accounts
    site.accounting.add_users({left: [ANN, BOB]})
    site.submit(ANN, left)
    before = site.inventory()
    with pytest.raises(CommandFailed, match="active") as refused:
        site.accounting.remove_users(left, [ANN])
    assert not refused.value.transient
    assert site.inventory() == before
    assert [job.user for job in site.accounting.read_queue([left])] == [ANN]
    assert site.accounting.remove_users(left, [BOB]) is Outcome.CHANGED


def test_an_association_of_one_partition_is_left_alone(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, right = accounts
    asked = site.accounting
    asked.add_users({left: [EVE], right: [EVE]})
    asked.set_default_account(EVE, right)
    site.add_to_partition(EVE, left)
    found = asked.read_snapshot().accounts[left]
    assert [(each.user, each.partition) for each in found.associations] == [
        (EVE, ""),
        (EVE, PARTITION),
    ]
    asked.set_user_hold(left, EVE, 0)
    holds = asked.read_snapshot().accounts[left].associations
    assert [each.max_submit_jobs for each in holds] == [0, None]
    assert asked.remove_users(left, [EVE]) is Outcome.CHANGED
    rest = asked.read_snapshot().accounts[left]
    assert [each.partition for each in rest.associations] == [PARTITION]
    assert rest.users == frozenset()
    assert asked.remove_users(left, [EVE]) is Outcome.ALREADY_SO
    assert asked.add_users({left: [EVE]}) is Outcome.CHANGED
    assert asked.read_snapshot().accounts[left].users == {EVE}


def test_a_hold_on_somebody_is_set_and_lifted(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, _ = accounts
    first, second, _ = somebody
    asked = site.accounting
    asked.add_users({left: [first, second]})
    assert asked.set_user_hold(left, first, 0) is Outcome.CHANGED
    assert asked.set_user_hold(left, first, 0) is Outcome.ALREADY_SO
    held = associations(site, left)
    assert (held[first].max_submit_jobs, held[second].max_submit_jobs) == (0, None)
    assert asked.set_user_hold(left, first, None) is Outcome.CHANGED
    assert associations(site, left)[first].max_submit_jobs is None
    with pytest.raises(CommandFailed):
        asked.set_user_hold(left, somebody[2], 0)


def test_a_hold_ends_with_the_association(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, _ = accounts
    user = somebody[0]
    site.accounting.add_users({left: [user]})
    site.accounting.set_user_hold(left, user, 0)
    site.accounting.remove_users(left, [user])
    site.accounting.add_users({left: [user]})
    assert associations(site, left)[user].max_submit_jobs is None


def test_the_default_account_is_moved_to_an_account_of_theirs(
    site: Site,
    accounts: tuple[AccountName, AccountName],
    somebody: tuple[UserName, UserName, UserName],
) -> None:
    left, right = accounts
    user = somebody[0]
    asked = site.accounting
    asked.add_users({left: [user], right: [user]})
    asked.set_default_account(user, left)
    assert asked.set_default_account(user, right) is Outcome.CHANGED
    assert asked.set_default_account(user, right) is Outcome.ALREADY_SO
    assert asked.read_default_accounts([user]) == {user: right}
    asked.remove_users(left, [user])
    before = site.inventory()
    with pytest.raises(CommandFailed):
        asked.set_default_account(user, left)
    assert site.inventory() == before
