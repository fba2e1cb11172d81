"""Two at once: an administrator and the agent, or two agents, and each change is there."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.contract.site import Site
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.port import Outcome


def at_once(*calls: Callable[[], Outcome]) -> Sequence[Outcome]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_two_that_make_the_same_account_both_succeed(site: Site, top: AccountName) -> None:
    new = NewAccount(AccountName(f"{top}-a"), top, "text", "o", {TresName("cpu"): 5})
    outcomes = at_once(*[lambda: site.accounting.add_accounts([new])] * 2)
    assert Outcome.CHANGED in outcomes
    assert site.accounting.read_snapshot().accounts[new.name].limits == {TresName("cpu"): 5}


def test_two_that_add_the_same_people_both_succeed(site: Site, top: AccountName) -> None:
    users = [UserName(f"{top}u{number}") for number in range(5)]
    outcomes = at_once(*[lambda: site.accounting.add_users({top: users})] * 2)
    assert Outcome.CHANGED in outcomes
    assert site.accounting.read_snapshot().accounts[top].users == frozenset(users)


def test_two_that_make_different_accounts_both_succeed(site: Site, top: AccountName) -> None:
    names = [AccountName(f"{top}-{number}") for number in range(4)]
    calls = [
        lambda name=name: site.accounting.add_accounts([NewAccount(name, top, "", "")])
        for name in names
    ]
    assert set(at_once(*calls)) == {Outcome.CHANGED}
    assert set(site.accounting.read_snapshot().children(top)) == set(names)


def test_two_that_remove_the_same_user_both_succeed(site: Site, top: AccountName) -> None:
    user = UserName(f"{top}u")
    site.accounting.add_users({top: [user]})
    outcomes = at_once(*[lambda: site.accounting.remove_users(top, [user])] * 2)
    assert Outcome.CHANGED in outcomes
    assert site.accounting.read_snapshot().accounts[top].users == frozenset()


def test_different_limits_set_at_once_are_all_there(site: Site, top: AccountName) -> None:
    cpu, gpu = TresName("cpu"), TresName("gres/gpu")
    at_once(
        lambda: site.accounting.set_limits(top, {cpu: 7}),
        lambda: site.accounting.set_limits(top, {gpu: 8}),
    )
    assert site.accounting.read_snapshot().accounts[top].limits == {cpu: 7, gpu: 8}
