"""Accounts are made whole or not at all, changed one fact at a time, and never lost by accident."""

from typing import Any

import pytest

from tests.contract.site import PEOPLE, Site
from waldur_slurm.errors import CommandFailed, InvalidName
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.grammar.text import MOST_CHARACTERS, clean_text
from waldur_slurm.slurm.accounting.port import Outcome

CPU, MEM, GPU = TresName("cpu"), TresName("mem"), TresName("gres/gpu")

HOSTILE_NAMES = [
    "",
    "a,b",
    "br[1-3]",
    "pi|pe",
    "Upper",
    "has space",
    "line\nbreak",
    "nul\0byte",
    "o'brien",
    'dq"uote',
    "-lead",
    "--help",
    "a=b",
    "semi;colon",
    "tartuülikool",
    "../etc",
    "$(id)",
    "x" * 129,
]


def account_of(site: Site, name: AccountName) -> Account:
    return site.accounting.read_snapshot().accounts[name]


def test_a_new_account_stands_under_its_parent_with_its_limits_and_text(
    site: Site, top: AccountName
) -> None:
    new = NewAccount(
        name=AccountName(f"{top}-a"),
        parent=top,
        description="Waldur: Physics (1)",
        organization="Uni",
        limits={CPU: 600, MEM: 61440, GPU: 0},
        fairshare="7",
    )
    assert site.accounting.add_accounts([new]) is Outcome.CHANGED
    assert account_of(site, new.name) == Account(
        name=new.name,
        description="waldur: physics (1)",
        organization="uni",
        parent=top,
        limits={CPU: 600, MEM: 61440, GPU: 0},
        fairshare="7",
    )


def test_a_whole_branch_is_made_at_once(site: Site, top: AccountName) -> None:
    project, allocation = AccountName(f"{top}-p"), AccountName(f"{top}-q")
    new = [
        NewAccount(project, top, "project", "o"),
        NewAccount(allocation, project, "allocation", "o", {CPU: 1}),
    ]
    assert site.accounting.add_accounts(new) is Outcome.CHANGED
    snapshot = site.accounting.read_snapshot()
    assert snapshot.accounts[allocation].parent == project
    assert snapshot.children(top) == (project,)
    assert snapshot.children(project) == (allocation,)


def test_the_outline_has_the_same_accounts_parents_limits_and_people(
    site: Site, top: AccountName
) -> None:
    whole, outline = site.accounting.read_snapshot(), site.accounting.read_outline()
    in_use = {n: a for n, a in whole.accounts.items() if a.parent is not None or n == ROOT}
    assert outline.accounts.keys() == in_use.keys()
    assert top in outline.accounts
    for name, account in outline.accounts.items():
        found = in_use[name]
        assert (account.parent, account.limits) == (found.parent, found.limits)
        assert account.users == found.users


def test_what_exists_stays_as_it_is(site: Site, top: AccountName) -> None:
    name = AccountName(f"{top}-a")
    site.accounting.add_accounts([NewAccount(name, top, "first", "one", {CPU: 5})])
    before = site.inventory()
    again = NewAccount(name, ROOT, "second", "two", {CPU: 9, GPU: 1})
    assert site.accounting.add_accounts([again]) is Outcome.ALREADY_SO
    assert site.inventory() == before


def test_only_what_is_missing_is_made(site: Site, top: AccountName) -> None:
    old, new = AccountName(f"{top}-old"), AccountName(f"{top}-new")
    site.accounting.add_accounts([NewAccount(old, top, "first", "one", {CPU: 5})])
    before = site.inventory()
    both = [NewAccount(old, top, "second", "two"), NewAccount(new, top, "fresh", "three")]
    assert site.accounting.add_accounts(both) is Outcome.CHANGED
    after = site.inventory()
    assert before <= after
    assert {word for line in after - before for word in (old, new) if word in repr(line)} == {new}


def test_a_missing_parent_is_refused_and_nothing_is_made(site: Site, top: AccountName) -> None:
    before = site.inventory()
    new = [
        NewAccount(AccountName(f"{top}-fine"), top, "d", "o"),
        NewAccount(AccountName(f"{top}-lost"), AccountName(f"{top}-nobody"), "d", "o"),
    ]
    with pytest.raises(CommandFailed) as refused:
        site.accounting.add_accounts(new)
    assert not refused.value.transient
    assert site.inventory() == before


def test_an_account_of_an_unknown_tres_is_refused_and_not_made(
    site: Site, top: AccountName
) -> None:
    """What was asked for beside it is made whole, or not at all."""
    fine, odd = AccountName(f"{top}-fine"), AccountName(f"{top}-odd")
    before = site.inventory()
    new = [
        NewAccount(fine, top, "d", "o", {CPU: 1}),
        NewAccount(odd, top, "d", "o", {TresName("gres/nope"): 1}),
    ]
    with pytest.raises(CommandFailed):
        site.accounting.add_accounts(new)
    assert all(fine in repr(line) for line in site.inventory() - before)
    found = site.accounting.read_snapshot().accounts
    assert odd not in found
    if fine in found:
        assert (found[fine].parent, found[fine].limits) == (top, {CPU: 1})
    assert site.accounting.add_accounts(new[:1]) in Outcome


def test_a_name_that_slurm_would_misread_never_reaches_it(site: Site) -> None:
    before = site.inventory()
    for hostile in map(AccountName, HOSTILE_NAMES):
        with pytest.raises(InvalidName):
            site.accounting.add_accounts([NewAccount(hostile, ROOT, "d", "o")])
        with pytest.raises(InvalidName):
            site.accounting.remove_accounts([hostile])
    assert site.inventory() == before


HOSTILE_TEXTS = [
    "quotes ' \" ` and a | bar",
    "two\nlines\r\nand a\ttab",
    "comment # here, equals = there: a colon, back\\slash",
    "Tartu Ülikool, Łódź, Straße, İstanbul",
    "東京 🚀 \u202egnorw\u202c \x1b[31mred \x00",
    "--help where name=root set",
    "ends with a quote'",
    "':GrpTRESMins=cpu=1:Description='",
    "x" * 100_000,
    "",
]


def test_free_text_comes_back_as_it_was_cleaned(site: Site, top: AccountName) -> None:
    made = {AccountName(f"{top}-{number}"): text for number, text in enumerate(HOSTILE_TEXTS)}
    site.accounting.add_accounts([NewAccount(name, top, made[name], made[name]) for name in made])
    snapshot = site.accounting.read_snapshot()
    for name, text in made.items():
        found = snapshot.accounts[name]
        assert found.description == (clean_text(text) or name)
        assert found.organization == (clean_text(text) or top)
        assert found.limits == {}
    assert set(snapshot.children(top)) == set(made)


def test_a_changed_description_comes_back_as_it_was_cleaned(site: Site, top: AccountName) -> None:
    names = [AccountName(f"{top}-{number}") for number in range(len(HOSTILE_TEXTS))]
    site.accounting.add_accounts([NewAccount(name, top, "d", "o") for name in names])
    for name, text in zip(names, HOSTILE_TEXTS, strict=True):
        site.accounting.set_description(name, text)
    found = site.accounting.read_snapshot().accounts
    assert [found[name].description for name in names] == list(map(clean_text, HOSTILE_TEXTS))


def test_a_mark_of_identity_survives_in_the_description(site: Site, top: AccountName) -> None:
    mark = f"waldur resource={'0123456789abcdef' * 2} offering={'fedcba9876543210' * 2}"
    name = AccountName(f"{top}-a")
    description = f"{mark} {'n' * (MOST_CHARACTERS - len(mark) - 1)}"
    site.accounting.add_accounts([NewAccount(name, top, description, "o")])
    assert account_of(site, name).description == description


def test_a_name_that_was_in_use_before_carries_the_new_text(site: Site, top: AccountName) -> None:
    name = AccountName(f"{top}-a")
    site.accounting.add_accounts([NewAccount(name, top, "old mark", "old", {CPU: 1})])
    site.accounting.remove_accounts([name])
    assert name not in site.accounting.read_snapshot().accounts
    site.accounting.add_accounts([NewAccount(name, top, "new mark", "new")])
    found = account_of(site, name)
    assert (found.description, found.organization, found.limits) == ("new mark", "new", {})


def test_limits_are_merged_and_lifted_by_name(site: Site, top: AccountName) -> None:
    asked = site.accounting
    assert asked.set_limits(top, {CPU: 100, GPU: 6}) is Outcome.CHANGED
    assert asked.set_limits(top, {CPU: 100}) is Outcome.ALREADY_SO
    assert asked.set_limits(top, {CPU: 0}) is Outcome.CHANGED
    assert account_of(site, top).limits == {CPU: 0, GPU: 6}
    assert asked.set_limits(top, {CPU: None, MEM: 1000}) is Outcome.CHANGED
    assert asked.set_limits(top, {CPU: None}) is Outcome.ALREADY_SO
    assert account_of(site, top).limits == {GPU: 6, MEM: 1000}


def test_a_memory_limit_is_read_to_the_last_mebibyte(site: Site, top: AccountName) -> None:
    limits = [1, 1000, 1572864, 1573376, 1049088, 61440 * 96128, 2**40, 2**40 + 1, 2**62]
    wanted = {AccountName(f"{top}-{number}"): {MEM: mib} for number, mib in enumerate(limits)}
    site.accounting.add_accounts([NewAccount(name, top, "", "", wanted[name]) for name in wanted])
    snapshot = site.accounting.read_snapshot()
    assert {name: snapshot.accounts[name].limits for name in wanted} == wanted
    site.accounting.remove_accounts(tuple(wanted))


def test_memory_limits_that_are_shown_alike_are_told_apart(site: Site, top: AccountName) -> None:
    for mebibytes in (1572864, 1573376):
        assert site.accounting.set_limits(top, {MEM: mebibytes}) is Outcome.CHANGED
        assert account_of(site, top).limits == {MEM: mebibytes}


def test_limits_of_an_unknown_tres_or_account_are_refused(site: Site, top: AccountName) -> None:
    before = site.inventory()
    for account, tres in ((top, TresName("gres/nope")), (AccountName(f"{top}-nobody"), CPU)):
        with pytest.raises(CommandFailed) as refused:
            site.accounting.set_limits(account, {tres: 5})
        assert not refused.value.transient
    assert site.inventory() == before


def test_what_is_no_limit_never_reaches_slurm(site: Site, top: AccountName) -> None:
    before = site.inventory()
    careless: tuple[Any, ...] = (-1, 2**64 - 2, True, 1.5, "5")
    for value in careless:
        with pytest.raises(InvalidName):
            site.accounting.set_limits(top, {CPU: value})
    assert site.inventory() == before


def test_a_hold_on_an_account_is_set_and_lifted(site: Site, top: AccountName) -> None:
    asked = site.accounting
    assert asked.set_account_hold(top, 0, 0) is Outcome.CHANGED
    assert asked.set_account_hold(top, 0, 0) is Outcome.ALREADY_SO
    held = account_of(site, top)
    assert (held.grp_jobs, held.grp_submit_jobs) == (0, 0)
    assert asked.set_account_hold(top, None, 20) is Outcome.CHANGED
    found = account_of(site, top)
    assert (found.grp_jobs, found.grp_submit_jobs) == (None, 20)


def test_an_account_is_moved_with_its_people(site: Site, top: AccountName) -> None:
    asked = site.accounting
    left, right = AccountName(f"{top}-l"), AccountName(f"{top}-r")
    child = AccountName(f"{top}-c")
    asked.add_accounts(
        [
            NewAccount(left, top, "", ""),
            NewAccount(right, top, "", ""),
            NewAccount(child, left, "", ""),
        ]
    )
    asked.add_users({child: PEOPLE[:1]})
    assert asked.set_parent(child, right) is Outcome.CHANGED
    assert asked.set_parent(child, right) is Outcome.ALREADY_SO
    found = account_of(site, child)
    assert (found.parent, sorted(found.users)) == (right, [PEOPLE[0]])
    with pytest.raises(CommandFailed):
        asked.set_parent(child, AccountName(f"{top}-nobody"))
    assert account_of(site, child).parent == right


def test_a_description_is_changed_once(site: Site, top: AccountName) -> None:
    assert site.accounting.set_description(top, "Another Text") is Outcome.CHANGED
    assert site.accounting.set_description(top, "another text") is Outcome.ALREADY_SO
    assert account_of(site, top).description == "another text"
    with pytest.raises(CommandFailed):
        site.accounting.set_description(AccountName(f"{top}-nobody"), "text")


def test_qos_and_default_are_set_together_and_given_back(site: Site, top: AccountName) -> None:
    asked = site.accounting
    site.add_qos("high", "low")
    assert asked.set_qos(top, ["low", "high"], "high") is Outcome.CHANGED
    assert asked.set_qos(top, ["high", "low"], "high") is Outcome.ALREADY_SO
    found = account_of(site, top)
    assert (set(found.qos), found.default_qos) == ({"high", "low"}, "high")
    assert asked.set_qos(top, ["low"], "low") is Outcome.CHANGED
    assert asked.set_qos(top, [], "") is Outcome.CHANGED
    found = account_of(site, top)
    assert (found.qos, found.default_qos) == ((), "")


@pytest.mark.parametrize(("qos", "default"), [(["nosuch"], ""), (["low"], "high")])
def test_a_qos_that_cannot_be_had_is_refused(
    site: Site, top: AccountName, qos: list[str], default: str
) -> None:
    site.add_qos("high", "low")
    before = site.inventory()
    with pytest.raises(CommandFailed):
        site.accounting.set_qos(top, qos, default)
    assert site.inventory() == before


def test_a_new_account_may_have_a_qos_of_its_own(site: Site, top: AccountName) -> None:
    site.add_qos("high", "low")
    name = AccountName(f"{top}-a")
    new = NewAccount(name, top, "d", "o", qos=("high", "low"), default_qos="low")
    site.accounting.add_accounts([new])
    found = account_of(site, name)
    assert (set(found.qos), found.default_qos) == ({"high", "low"}, "low")


def test_names_that_slurm_could_not_tell_apart_are_refused(site: Site, top: AccountName) -> None:
    """24.11 would write the second one's text over the first one's."""
    stem = f"{top}-".ljust(42, "k")
    first, second = AccountName(f"{stem}a"), AccountName(f"{stem}b")
    site.accounting.add_accounts([NewAccount(first, top, "first", "o")])
    before = site.inventory()
    with pytest.raises(CommandFailed, match="could not tell"):
        site.accounting.add_accounts([NewAccount(second, top, "second", "o")])
    assert site.inventory() == before


def test_an_account_that_somebody_or_something_hangs_on_is_not_removed(
    site: Site, top: AccountName
) -> None:
    asked = site.accounting
    parent, child = AccountName(f"{top}-p"), AccountName(f"{top}-c")
    asked.add_accounts([NewAccount(parent, top, "", ""), NewAccount(child, parent, "", "")])
    asked.add_users({child: PEOPLE[:1]})
    before = site.inventory()
    for names in ([parent], [child], [parent, child]):
        with pytest.raises(CommandFailed):
            asked.remove_accounts(names)
    assert site.inventory() == before


def test_accounts_are_removed_without_a_trace(site: Site, top: AccountName) -> None:
    asked = site.accounting
    before = site.inventory()
    parent, child = AccountName(f"{top}-p"), AccountName(f"{top}-c")
    asked.add_accounts([NewAccount(parent, top, "", ""), NewAccount(child, parent, "", "")])
    assert asked.remove_accounts([parent, child]) is Outcome.CHANGED
    assert asked.remove_accounts([parent, child]) is Outcome.ALREADY_SO
    assert site.inventory() == before


def test_accounts_are_read_afresh_with_their_children(site: Site, top: AccountName) -> None:
    asked = site.accounting
    asked.add_accounts(
        [
            NewAccount(AccountName(f"{top}-{kind}"), AccountName(f"{top}{under}"), "", "")
            for kind, under in (("p", ""), ("c", "-p"), ("g", "-c"))
        ]
    )
    found = asked.read_accounts([AccountName(f"{top}-p")])
    assert sorted(found.accounts) == [f"{top}-c", f"{top}-p"]
    assert found.accounts[AccountName(f"{top}-p")].parent == top
