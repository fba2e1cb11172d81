"""Silence is never an answer: when nobody is there, every call says so, and nothing changes."""

from collections.abc import Callable

import pytest

from tests.contract.site import AS_ROOT, PEOPLE, Site
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.port import Accounting, Outcome

Call = Callable[[Accounting, AccountName, UserName], object]

pytestmark = pytest.mark.parametrize("site", AS_ROOT, indirect=True)

CALLS: dict[str, Call] = {
    "read_snapshot": lambda asked, _, __: asked.read_snapshot(),
    "read_accounts": lambda asked, top, _: asked.read_accounts([top]),
    "read_default_accounts": lambda asked, _, __: asked.read_default_accounts(PEOPLE[:1]),
    "read_tres": lambda asked, _, __: asked.read_tres(),
    "add_accounts": lambda asked, top, _: asked.add_accounts(
        [NewAccount(AccountName(f"{top}-a"), top, "", "")]
    ),
    "add_users": lambda asked, top, user: asked.add_users({top: [user]}),
    "remove_users": lambda asked, top, _: asked.remove_users(top, PEOPLE[:1]),
    "remove_accounts": lambda asked, top, _: asked.remove_accounts([top]),
    "set_limits": lambda asked, top, _: asked.set_limits(top, {TresName("cpu"): 1}),
    "set_account_hold": lambda asked, top, _: asked.set_account_hold(top, 0, 0),
    "set_user_hold": lambda asked, top, _: asked.set_user_hold(top, PEOPLE[0], 0),
    "set_description": lambda asked, top, _: asked.set_description(top, "other"),
    "set_qos": lambda asked, top, _: asked.set_qos(top, ["normal"], ""),
    "set_default_account": lambda asked, top, user: asked.set_default_account(user, top),
}
WHEN_FROZEN = ("read_snapshot", "read_default_accounts", "add_accounts", "set_limits")


def check_that_all_fail(site: Site, top: AccountName, names: tuple[str, ...]) -> None:
    for name in names:
        with pytest.raises(SlurmError) as failed:
            CALLS[name](site.accounting, top, UserName(f"{top}u"))
        assert failed.value.transient, f"{name}: {failed.value!r}"


def check_that_all_is_well_again(site: Site, top: AccountName) -> None:
    child = AccountName(f"{top}-b")
    assert site.accounting.add_accounts([NewAccount(child, top, "", "")]) is Outcome.CHANGED
    assert site.accounting.read_snapshot().accounts[child].parent == top


def test_a_slurmdbd_that_is_down_is_silence_and_comes_back(site: Site, top: AccountName) -> None:
    site.accounting.add_users({top: PEOPLE[:1]})
    before = site.inventory()
    with site.down():
        check_that_all_fail(site, top, tuple(CALLS))
    assert site.inventory() == before
    check_that_all_is_well_again(site, top)


def test_a_slurmdbd_that_is_frozen_is_silence_and_comes_back(site: Site, top: AccountName) -> None:
    before = site.inventory()
    with site.frozen():
        check_that_all_fail(site, top, WHEN_FROZEN)
    assert site.inventory() == before
    check_that_all_is_well_again(site, top)


def test_the_queue_is_read_while_the_accounting_is_down(site: Site, top: AccountName) -> None:
    """The fake is coarser than Slurm here: when it is down, all of it is."""
    assert site.accounting.read_queue([top]) == ()
