"""A client believes what Slurm shows, writes what is not so yet, and never guesses."""

import pytest

from tests.fakes.transport import PairedTransport, ScriptedTransport
from waldur_slurm.errors import AccountingDown, CommandFailed, UnparsableOutput
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.accounting.port import Outcome

WELL = Completed(0, "fine", "")
VERSION = Completed(0, "slurm-wlm 22.05.8\n", "")
LAB = ClusterName("lab")
PHYSICS, CPU = AccountName("physics"), TresName("cpu")
ROOT_ROW = "1|0|1|||||normal||root|||\n"


def physics(limits: str) -> Completed:
    return Completed(0, f"{ROOT_ROW}2|1|1|{limits}||||||physics|||\n", "")


def asked_verbs(transport: ScriptedTransport) -> list[str]:
    def verb(argv: Argv) -> str:
        return "modify" if "modify" in argv else "show"

    return [verb(argv) for argv in transport.asked]


def test_a_write_that_is_shown_afterwards_is_believed() -> None:
    transport = ScriptedTransport([physics(""), Completed(0, " Modified", ""), physics("cpu=5")])
    assert SlurmClient(transport, cluster=LAB).set_limits(PHYSICS, {CPU: 5}) is Outcome.CHANGED
    assert asked_verbs(transport) == ["show", "modify", "show"]


def test_what_is_so_already_is_not_written() -> None:
    transport = ScriptedTransport([physics("cpu=5")])
    assert SlurmClient(transport, cluster=LAB).set_limits(PHYSICS, {CPU: 5}) is Outcome.ALREADY_SO


def test_a_yes_in_vain_is_tried_once_more_and_then_an_error() -> None:
    yes = Completed(0, " Modified", "")
    transport = ScriptedTransport([physics(""), yes, physics("cpu=0"), yes, physics("cpu=0")])
    with pytest.raises(CommandFailed, match="it is not so"):
        SlurmClient(transport, cluster=LAB).set_limits(PHYSICS, {CPU: 5})
    assert asked_verbs(transport) == ["show", "modify", "show", "modify", "show"]


def test_a_no_is_no_error_when_somebody_else_did_it() -> None:
    no = Completed(1, " Nothing modified", "")
    transport = ScriptedTransport([physics(""), no, physics("cpu=5")])
    assert SlurmClient(transport, cluster=LAB).set_limits(PHYSICS, {CPU: 5}) is Outcome.ALREADY_SO


def test_a_cluster_that_slurmdbd_does_not_know_is_never_an_empty_one() -> None:
    for answer in ("", "2|1|1|||||||physics|||\n"):
        transport = ScriptedTransport([Completed(0, answer, "")])
        with pytest.raises(AccountingDown, match="not even root is listed"):
            SlurmClient(transport, cluster=LAB).read_snapshot()


def test_an_answer_that_was_cut_short_is_no_answer() -> None:
    transport = ScriptedTransport([Completed(0, f"{ROOT_ROW}2|1|1|cpu", "")])
    with pytest.raises(UnparsableOutput, match="ends inside a row"):
        SlurmClient(transport, cluster=LAB).read_snapshot()


def test_two_processes_read_a_site_even_where_memory_limits_are_rounded() -> None:
    exact = "ClusterName=lab Account=physics UserName= Partition= Priority=0 ID=2 Lft=1 GrpTRESMins=mem=1573376(7),cpu=N(0) Max="  # noqa: E501 - as it is printed
    reading = [
        physics("mem=1.50T"),
        Completed(0, "physics|o|d|\nroot|root|r|\n", ""),
    ]
    local = Completed(0, "ClusterName = lab\n", "")
    transport = ScriptedTransport([reading[0], local, Completed(0, exact, ""), *reading[1:]])
    client = SlurmClient(transport, cluster=LAB)
    assert client.read_snapshot().accounts[PHYSICS].limits == {"mem": 1573376}
    transport.script = list(reading)
    assert client.read_snapshot().accounts[PHYSICS].limits == {"mem": 1573376}
    assert transport.script == []


@pytest.mark.parametrize(("number", "are_named"), [(499, True), (500, False)])
def test_default_accounts_of_however_many_people_are_one_question(
    number: int, are_named: bool
) -> None:
    """Beyond some number of names the listing of everybody is quicker."""
    users = [UserName(f"u{each}") for each in range(number)]
    answer = "".join(f"{user}|physics|\n" for user in (*users, "root", "somebody"))
    transport = ScriptedTransport([Completed(0, answer, "")])

    found = SlurmClient(transport, cluster=LAB).read_default_accounts(users)

    assert found == dict.fromkeys(users, PHYSICS)
    (argv,) = transport.asked
    assert any(word.startswith("name=") for word in argv) is are_named


@pytest.mark.parametrize(
    ("words", "may"),
    [
        (" Nothing modified", True),
        ("sacctmgr: error: Request didn't affect anything", True),
        (" Error with request: Access/permission denied", False),
    ],
)
def test_whoever_may_not_change_what_is_not_there_may_change_nothing(words: str, may: bool) -> None:
    transport = ScriptedTransport([Completed(1, "", words), WELL])
    assert SlurmClient(transport, cluster=LAB).may_change_accounts() is may


def test_a_right_that_nobody_was_there_to_deny_is_unknown() -> None:
    transport = ScriptedTransport([Completed(1, "", "Connection refused"), VERSION])
    with pytest.raises(AccountingDown):
        SlurmClient(transport, cluster=LAB).may_change_accounts()


def test_before_an_account_is_made_and_after_it_both_listings_are_asked_for_at_once() -> None:
    """A made-up Slurm that never shows the account: it is written twice, and refused then."""
    transport = PairedTransport(
        {
            commands.show_members(LAB)[-1]: Completed(0, "root|||\n", ""),
            commands.show_standing(LAB)[-1]: Completed(0, "1|0||root|||\n", ""),
            "account": Completed(0, "root|r|r|\n", ""),
        }
    )
    new = NewAccount(PHYSICS, ROOT, "text", "o")

    with pytest.raises(CommandFailed, match="it is not so"):
        SlurmClient(transport, cluster=LAB).add_accounts([new])

    written = [argv == commands.obey_lines() for argv in transport.asked]
    assert written == [False, False, True, False, False, True, False, False]
