"""What real Slurm does that the client relies on, or is on its guard against; no fake here.

`docs/slurm-facts.md` names these tests, one a fact.
"""

import time

import pytest

from tests.contract.site import PEOPLE, RealSite
from waldur_slurm.errors import AccountingDown, CommandFailed
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.port import Outcome

ANN, BOB, _ = PEOPLE
CPU = TresName("cpu")


@pytest.fixture
def top(real: RealSite, name: AccountName) -> AccountName:
    real.add_top(name)
    return name


def load(real: RealSite, *lines: str) -> int:
    text = "\\n".join(("Cluster - 'lab'", *lines, ""))
    script = f'printf "{text}" | sacctmgr -i load file=/dev/stdin'
    return real.machine.run("sh", "-c", script).code


def show(real: RealSite, *words: str) -> list[str]:
    return real.machine.must("sacctmgr", "-nP", "show", *words).splitlines()


def ran(real: RealSite, *words: str) -> tuple[int, str]:
    """Run sacctmgr for a write and return its exit code and words."""
    done = real.machine.run("sacctmgr", "-i", *words)
    return done.code, done.out + done.err


# names


def test_a_name_that_is_a_number_lets_in_whoever_has_that_uid(
    real: RealSite, top: AccountName
) -> None:
    code, said = ran(real, "add", "user", "name=65534", f"account={top}", "cluster=lab")
    assert code == 0, said
    deadline = time.monotonic() + 60  # slurmctld hears of it a moment later
    while "UserName=65534(65534)" not in real.machine.must(
        "scontrol", "show", "assoc_mgr", "flags=users"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


# modify


def test_a_change_that_did_not_happen_may_be_called_modified(
    real: RealSite, top: AccountName
) -> None:
    """26.05 says "Modified" first; where the parent is missing, it and 24.11 exit 0 as well."""
    before = real.client.read_snapshot()
    nobody = f"{top}-nobody"
    code, said = ran(real, "modify", "account", "where", f"name={nobody}", "set", "description=x")
    assert code == 1
    assert "Nothing modified" in said
    where = ("where", f"name={top}", "cluster=lab")
    _, said = ran(real, "modify", "account", *where, "set", f"parent={nobody}")
    assert said
    assert real.client.read_snapshot() == before


# load


def test_load_changes_an_account_that_exists(real: RealSite, top: AccountName) -> None:
    one, two = f"{top}-one", f"{top}-two"
    assert (
        load(real, f"Parent - '{top}'", f"Account - '{one}':Description='a'", f"Account - '{two}'")
        == 0
    )
    real.hand(
        "modify",
        "account",
        "where",
        f"name={two}",
        "cluster=lab",
        "set",
        "GrpTRESMins=cpu=5,node=7",
    )
    line = f"Account - '{two}':Description='b':Organization='c':GrpTRESMins=cpu=9"
    assert load(real, f"Parent - '{one}'", line) == 0
    found = real.client.read_snapshot().accounts[AccountName(two)]
    assert (found.description, found.organization, found.parent) == ("b", "c", one)
    assert found.limits == {CPU: 9, TresName("node"): 7}


def test_load_without_text_leaves_the_text_of_an_account_that_exists(
    real: RealSite, top: AccountName
) -> None:
    real.hand(
        "modify", "account", "where", f"name={top}", "set", "description=mine", "organization=ours"
    )
    assert load(real, "Parent - 'root'", f"Account - '{top}'") == 0
    assert show(real, "account", top) == [f"{top}|mine|ours"]


def test_load_commits_nothing_when_an_attribute_is_wrong(real: RealSite, top: AccountName) -> None:
    before = real.inventory()
    lines = (f"Account - '{top}-a'", f"Account - '{top}-b':GrpTRESMins=gres/nope=1")
    assert load(real, f"Parent - '{top}'", *lines) != 0
    assert real.inventory() == before


def test_load_keeps_what_stands_before_a_missing_parent(real: RealSite, top: AccountName) -> None:
    lines = (f"Account - '{top}-a'", f"Parent - '{top}-nobody'", f"Account - '{top}-b'")
    assert load(real, f"Parent - '{top}'", *lines) != 0
    found = real.client.read_snapshot().accounts
    assert AccountName(f"{top}-a") in found
    assert AccountName(f"{top}-b") not in found


def test_load_makes_a_cluster_that_does_not_exist(real: RealSite, top: AccountName) -> None:
    script = (
        f"printf \"Cluster - 'no{top}'\\nParent - 'root'\\n\" | sacctmgr -i load file=/dev/stdin"
    )
    real.machine.run("sh", "-c", script)
    assert f"no{top}" in show(real, "cluster", "format=cluster")
    real.hand("delete", "cluster", f"no{top}")
    client = SlurmClient(real.transport, cluster=ClusterName(f"no{top}"))
    with pytest.raises(AccountingDown, match="not even root is listed"):
        client.add_accounts([NewAccount(AccountName(f"{top}-x"), ROOT, "", "")])
    assert f"no{top}" not in show(real, "cluster", "format=cluster")


def test_load_takes_a_number_sign_for_a_comment_even_in_quotes(
    real: RealSite, top: AccountName
) -> None:
    assert load(real, f"Parent - '{top}'", f"Account - '{top}-a':Description='no # sign'") != 0


# Names and text


def test_names_are_folded_to_lower_case(real: RealSite, top: AccountName) -> None:
    upper = f"{top}-Upper"
    real.hand("add", "account", upper, "cluster=lab", f"parent={top}")
    real.hand("add", "user", f"{top}User", f"account={upper}", "cluster=lab")
    assert load(real, f"Parent - '{top}'", f"Account - '{top}-Loaded'", f"User - '{top}Other'") == 0
    snapshot = real.client.read_snapshot()
    assert snapshot.children(top) == (f"{top}-loaded", f"{top}-upper")
    assert snapshot.accounts[AccountName(f"{top}-upper")].users == {f"{top}user"}
    assert snapshot.accounts[top].users == {f"{top}other"}


def test_a_list_or_a_range_makes_several_accounts(real: RealSite, top: AccountName) -> None:
    real.hand("add", "account", f"{top}-a,{top}-b", "cluster=lab", f"parent={top}")
    real.hand("add", "account", f"{top}-n[1-3]", "cluster=lab", f"parent={top}")
    assert len(real.client.read_snapshot().children(top)) == 5


def test_printable_ascii_but_five_signs_survives_in_text(real: RealSite, top: AccountName) -> None:
    signs = "".join(map(chr, range(0x20, 0x7F)))
    kept = "".join(sign for sign in signs if sign not in "\"'#\\|").lower()
    name = AccountName(f"{top}-a")
    real.client.add_accounts([NewAccount(name, top, f"a {kept} z", f"a {kept} z")])
    (line,) = show(real, "account", name)
    assert line == f"{name}|{' '.join(f'a {kept} z'.split())}|{' '.join(f'a {kept} z'.split())}"


def test_text_is_folded_and_quotes_become_backticks(real: RealSite, top: AccountName) -> None:
    real.hand(
        "modify",
        "account",
        "where",
        f"name={top}",
        "set",
        'description=It\'s "A" Text',
        "organization=ORG",
    )
    assert show(real, "account", top) == [f"{top}|it`s `a` text|org"]


def test_five_thousand_characters_of_text_survive(real: RealSite, top: AccountName) -> None:
    text = "x" * 5000
    real.hand("modify", "account", "where", f"name={top}", "set", f"description={text}")
    assert real.client.read_snapshot().accounts[top].description == text


def test_a_foreign_name_or_text_with_a_bar_shifts_nothing(real: RealSite, top: AccountName) -> None:
    odd = f"{top}|odd"
    real.hand(
        "add", "account", odd, "cluster=lab", f"parent={top}", "description=a|b|", "organization=o"
    )
    real.hand("modify", "account", "where", f"name={top}", "set", "description=one | two\nthree")
    real.client.set_limits(top, {CPU: 5})
    snapshot = real.client.read_snapshot()
    assert snapshot.accounts[top].description == "one | two\nthree"
    assert snapshot.accounts[top].limits == {CPU: 5}
    assert snapshot.children(top) == (odd,)
    with pytest.raises(CommandFailed, match="child"):
        real.client.remove_accounts([top])
    real.hand("delete", "account", "where", f"name={odd}")


# People


def test_a_default_account_named_on_adding_makes_a_second_association(
    real: RealSite, top: AccountName
) -> None:
    other = AccountName(f"{top}-other")
    real.client.add_accounts([NewAccount(other, top, "", "")])
    user = UserName(f"{top}u")
    real.hand("add", "user", user, f"account={top}", "cluster=lab", f"defaultaccount={other}")
    accounts = real.client.read_snapshot().accounts
    assert accounts[top].users == accounts[other].users == {user}


def test_whoever_has_no_default_account_is_given_the_next_one(
    real: RealSite, top: AccountName
) -> None:
    first, second = AccountName(f"{top}-1"), AccountName(f"{top}-2")
    real.client.add_accounts([NewAccount(first, top, "", ""), NewAccount(second, top, "", "")])
    user = UserName(f"{top}u")
    real.client.add_users({first: [user]})
    real.client.remove_users(first, [user])
    real.client.add_users({second: [user]})
    assert real.client.read_default_accounts([user]) == {user: second}


def test_a_missing_account_among_several_keeps_nobody_out_of_the_others(
    real: RealSite, top: AccountName
) -> None:
    """22.05 exits 1, newer Slurm exits 0; the user is added either way."""
    user = UserName(f"{top}u")
    ran(real, "add", "user", user, f"account={top}-nobody,{top}", "cluster=lab")
    assert real.client.read_snapshot().accounts[top].users == {user}


def test_a_wckey_is_no_association(real: RealSite, top: AccountName) -> None:
    user = UserName(f"{top}u")
    real.client.add_users({top: [user]})
    before = real.client.read_snapshot()
    real.hand("add", "user", user, "wckeys=key1,key2", "cluster=lab")
    assert "key1" in " ".join(show(real, "wckeys", "format=wckey,user"))
    assert real.client.read_snapshot() == before


# Limits


def test_a_limit_that_is_no_number_blocks_with_exit_code_0(
    real: RealSite, top: AccountName
) -> None:
    where = ("modify", "account", "where", f"name={top}", "cluster=lab", "set")
    code, _ = ran(real, *where, "GrpTRESMins=cpu=abc")
    assert code == 0
    assert real.client.read_snapshot().accounts[top].limits == {CPU: 0}


def test_inherited_limits_and_qos_are_not_shown_as_ones_own(
    real: RealSite, top: AccountName
) -> None:
    user = UserName(f"{top}u")
    real.client.add_users({top: [user]})
    real.hand("modify", "account", "where", f"name={top}", "cluster=lab", "set", "MaxSubmitJobs=7")
    (found,) = real.client.read_snapshot().accounts[top].associations
    assert found.max_submit_jobs is None
    assert real.client.read_snapshot().accounts[top].qos == ()


# Removal


def test_removing_a_parent_takes_its_subtree_along_with_exit_code_0(
    real: RealSite, top: AccountName
) -> None:
    parent, child = AccountName(f"{top}-p"), AccountName(f"{top}-c")
    real.client.add_accounts([NewAccount(parent, top, "", ""), NewAccount(child, parent, "", "")])
    code, _ = ran(real, "delete", "account", "where", f"name={parent}", "cluster=lab")
    assert code == 0
    found = real.client.read_snapshot().accounts
    assert found[child].parent is None


def test_removal_from_one_cluster_leaves_the_record_and_its_old_text(
    real: RealSite, top: AccountName
) -> None:
    name = AccountName(f"{top}-a")
    real.client.add_accounts([NewAccount(name, top, "old mark", "old")])
    real.hand("delete", "account", "where", f"name={name}", "cluster=lab")
    assert show(real, "account", name) == [f"{name}|old mark|old"]
    real.client.add_accounts([NewAccount(name, top, "new mark", "new")])
    assert show(real, "account", name) == [f"{name}|new mark|new"]


# Several clusters in one slurmdbd


def test_the_other_cluster_is_neither_read_nor_written(real: RealSite, top: AccountName) -> None:
    user, elsewhere = UserName(f"{top}u"), UserName(f"{top}o")
    real.hand("add", "account", top, "cluster=other")
    real.hand("add", "user", elsewhere, f"account={top}", "cluster=other")
    real.hand("add", "user", user, f"account={top}", "cluster=other")
    real.client.add_users({top: [user]})
    real.client.set_limits(top, {CPU: 5})
    snapshot = real.client.read_snapshot()
    assert snapshot.accounts[top].users == {user}
    assert real.client.read_default_accounts([user, elsewhere]) == {user: top}
    other = SlurmClient(real.transport, cluster=ClusterName("other")).read_snapshot()
    assert other.accounts[top].users == {user, elsewhere}
    assert other.accounts[top].limits == {}
    real.client.remove_users(top, [user])
    assert real.client.remove_accounts([top]) is Outcome.CHANGED
    other = SlurmClient(real.transport, cluster=ClusterName("other")).read_snapshot()
    assert other.accounts[top].users == {user, elsewhere}
    assert real.client.read_snapshot().accounts[top].parent is None


def test_text_that_another_cluster_uses_too_is_left_as_it_is(
    real: RealSite, top: AccountName
) -> None:
    name = AccountName(f"{top}-a")
    real.hand("add", "account", name, "cluster=other", "description=theirs", "organization=theirs")
    new = NewAccount(name, top, "ours", "ours", {CPU: 3})
    assert real.client.add_accounts([new]) is Outcome.CHANGED
    found = real.client.read_snapshot().accounts[name]
    assert (found.description, found.parent, found.limits) == ("theirs", top, {CPU: 3})
