"""Each intent is one argument vector, in the configured cluster, without a word of a shell."""

from datetime import UTC, datetime

from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.accounting.grammar.loadfile import accounts_to_load, users_to_load
from waldur_slurm.slurm.accounting.grammar.script import (
    accounts_to_add,
    in_parts,
    users_to_add,
    without_echo,
)

LAB = ClusterName("lab")
TOP, PHYSICS = AccountName("top"), AccountName("physics")
ANN, BOB = UserName("ann"), UserName("bob")
CPU, MEM = TresName("cpu"), TresName("mem")


def test_a_limit_is_lifted_by_name() -> None:
    argv = commands.set_limits(LAB, PHYSICS, {MEM: None, CPU: 0})
    assert argv[-1] == "GrpTRESMins=cpu=0,mem=-1"
    assert "cluster=lab" in argv


def test_every_command_on_accounts_and_people_names_the_cluster() -> None:
    for argv in (
        commands.show_associations(LAB),
        commands.show_members(LAB),
        commands.show_standing(LAB),
        commands.show_users(LAB),
        commands.remove_users(LAB, PHYSICS, [ANN]),
        commands.remove_accounts(LAB, [PHYSICS]),
        commands.set_account_hold(LAB, PHYSICS, 0, None),
        commands.set_user_hold(LAB, PHYSICS, ANN, 0),
        commands.set_parent(LAB, PHYSICS, TOP),
        commands.set_default_account(LAB, ANN, PHYSICS),
        commands.set_qos(LAB, PHYSICS, ["low"], "low"),
    ):
        assert "cluster=lab" in argv, argv


def test_people_are_named_with_no_partition_so_that_those_associations_stay() -> None:
    assert "partition=" in commands.remove_users(LAB, PHYSICS, [BOB, ANN])
    assert "partition=" in commands.set_user_hold(LAB, PHYSICS, ANN, None)
    assert "name=ann,bob" in commands.remove_users(LAB, PHYSICS, [BOB, ANN])


def test_a_window_is_asked_for_in_seconds_since_the_epoch() -> None:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    argv = commands.show_jobs(LAB, start, end)
    assert "--starttime=uts1793491200" in argv
    assert "--endtime=uts1796083200" in argv
    assert {"--truncate", "--duplicates", "--allusers", "--allocations"} <= set(argv)


def test_only_a_cluster_that_is_not_the_local_one_is_named_to_the_controllers_tools() -> None:
    assert not any("clusters" in word for word in commands.show_queue(None))
    assert "--clusters=far" in commands.show_queue(ClusterName("far"))
    assert "--clusters=far" in commands.cancel_jobs(ClusterName("far"), ["1"], only_pending=False)
    assert commands.show_statistics(None) == ("sdiag",)
    assert commands.show_statistics(ClusterName("far")) == ("sdiag", "--cluster=far")


def test_the_throttle_of_an_array_is_not_part_of_its_number() -> None:
    argv = commands.cancel_jobs(None, ["4_[2-9%3]", "5+1"], only_pending=True)
    assert argv == ("scancel", "--state=PENDING", "4_[2-9]", "5+1")


def test_new_accounts_are_written_under_their_parents() -> None:
    new = [
        NewAccount(PHYSICS, TOP, 'It\'s #1: A "Text"', "Org|x", {MEM: 5, CPU: 0}, fairshare="3"),
        NewAccount(AccountName("chem"), TOP, "", "", qos=("high", "low"), default_qos="low"),
        NewAccount(AccountName("sub"), PHYSICS, "kept", "kept"),
    ]
    assert accounts_to_load(LAB, new, keep_text=[AccountName("sub")]).splitlines() == [
        "Cluster - 'lab'",
        "Parent - 'top'",
        "Account - 'physics':Description='it`s 1: a `text`':Organization='org/x'"
        ":GrpTRESMins=cpu=0,mem=5:Fairshare=3",
        "Account - 'chem':Description='chem':Organization='top':QOS='high,low':DefaultQOS=low",
        "Parent - 'physics'",
        "Account - 'sub'",
    ]


def test_people_are_written_without_a_default_account() -> None:
    assert users_to_load(LAB, {PHYSICS: [BOB, ANN], TOP: [ANN]}).splitlines() == [
        "Cluster - 'lab'",
        "Parent - 'physics'",
        "User - 'ann'",
        "User - 'bob'",
        "Parent - 'top'",
        "User - 'ann'",
    ]


def test_the_same_accounts_are_said_line_by_line() -> None:
    new = [
        NewAccount(PHYSICS, TOP, 'It\'s #1: A "Text"', "Org|x", {MEM: 5, CPU: 0}, fairshare="3"),
        NewAccount(AccountName("left"), TOP, "", "", qos=("high", "low"), default_qos="low"),
        NewAccount(AccountName("sub"), PHYSICS, "kept", "kept"),
    ]
    left, sub = new[1].name, new[2].name
    assert [*accounts_to_add(LAB, new, keep_text=[sub], recorded=[left, sub])] == [
        "add account name=physics cluster=lab parent=top Description='it`s 1: a `text`'"
        " Organization='org/x' GrpTRESMins=cpu=0,mem=5 Fairshare=3\n",
        "modify account where name=left set Description='left' Organization='top'\n",
        "add account name=left cluster=lab parent=top Description='left' Organization='top'"
        " QOS='high,low' DefaultQOS=low\n",
        "add account name=sub cluster=lab parent=physics\n",
    ]


def test_people_are_said_an_account_a_line_and_not_too_many_in_one() -> None:
    many = [UserName(f"u{number:03}") for number in range(101)]
    *first, last = users_to_add(LAB, {PHYSICS: [BOB, ANN], TOP: many})
    assert first[0] == "add user name=ann,bob account=physics cluster=lab\n"
    assert first[1].count(",") == 99
    assert last == "add user name=u100 account=top cluster=lab\n"


def test_no_line_is_lost_where_they_are_cut_for_several_processes() -> None:
    lines = [f"add account name=a{number}\n" for number in range(60)]
    parts = list(in_parts(lines))
    assert [part.count("\n") for part in parts] == [25, 25, 10]
    assert "".join(parts) == "".join(lines)
    assert list(in_parts([])) == []


def test_what_sacctmgr_repeats_of_its_input_is_left_out() -> None:
    out = "sacctmgr: add account\nsacctmgr: \r<Organization='o'\n Nothing new added.\nsacctmgr: \n"
    assert without_echo(out) == " Nothing new added.\n"
