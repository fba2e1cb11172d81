"""A part of the accounts is read as it is in the whole, and says nothing of the rest."""

import pytest

from tests.contract.site import PEOPLE, Site
from waldur_slurm.errors import UnclearPart
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.model.tres import TresName

CPU, MEM = TresName("cpu"), TresName("mem")


def test_a_part_is_read_as_in_the_whole_and_holds_nothing_else(
    site: Site, top: AccountName
) -> None:
    named, told, other = (AccountName(f"{top}-{each}") for each in ("n", "t", "o"))
    mark = f"mark of {top}"
    site.accounting.add_accounts(
        [
            NewAccount(named, top, "by name", "o", {MEM: 61440}),
            NewAccount(told, named, mark, "o", {CPU: 1}),
            NewAccount(other, top, "somebody's", "o"),
        ]
    )
    site.accounting.add_users({named: PEOPLE[:1], other: PEOPLE[1:2]})
    whole = site.accounting.read_snapshot().accounts

    part = site.accounting.read_part([top, named], lambda text: text == mark)

    assert part.accounts == {name: whole[name] for name in (ROOT, top, named, told)}


def test_a_part_that_hangs_on_what_was_not_asked_for_is_no_answer(
    site: Site, top: AccountName
) -> None:
    below = AccountName(f"{top}-b")
    site.accounting.add_accounts([NewAccount(below, top, "below", "o")])

    with pytest.raises(UnclearPart):
        site.accounting.read_part([below], lambda _: False)


def test_a_part_that_touches_nothing_is_root_alone(site: Site, top: AccountName) -> None:
    part = site.accounting.read_part([AccountName(f"{top}-nobody")], lambda _: False)

    assert part.accounts.keys() == {ROOT}
