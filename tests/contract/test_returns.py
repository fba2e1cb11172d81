"""What is removed in a hold and made again is as new: nothing of the hold comes back with it."""

import time

from tests.contract.site import PEOPLE, Site
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName

ANN = PEOPLE[0]
_PATIENCE = 20.0


def test_who_was_removed_in_a_hold_comes_back_without_it(site: Site, top: AccountName) -> None:
    child = AccountName(f"{top}a")
    with_history(site, child, top)
    site.accounting.set_user_hold(child, ANN, 0)
    removed(site, child)

    site.accounting.add_users({child: [ANN]})

    (association,) = site.accounting.read_snapshot().accounts[child].associations
    assert association.max_submit_jobs is None


def test_an_account_removed_in_a_hold_comes_back_without_it(site: Site, top: AccountName) -> None:
    child = AccountName(f"{top}a")
    with_history(site, child, top)
    site.accounting.set_account_hold(child, 0, 0)
    removed(site, child)
    site.accounting.remove_accounts([child])

    site.accounting.add_accounts([NewAccount(child, top, "again", "o")])

    found = site.accounting.read_snapshot().accounts[child]
    assert (found.grp_jobs, found.grp_submit_jobs, dict(found.limits)) == (None, None, {})
    assert found.description == "again"


def with_history(site: Site, account: AccountName, parent: AccountName) -> None:
    """An account in which somebody ran a job: Slurm keeps such associations when they go."""
    site.accounting.add_accounts([NewAccount(account, parent, "d", "o")])
    site.accounting.add_users({account: [ANN]})
    site.submit(ANN, account)


def removed(site: Site, account: AccountName) -> None:
    site.accounting.cancel_jobs(site.accounting.read_queue([account]))
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            site.accounting.remove_users(account, [ANN])
        except CommandFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
