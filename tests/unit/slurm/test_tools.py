"""Whether a failed command was refused or not heard is decided by evidence."""

import pytest

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.errors import AccountingDown, CommandFailed, TransportError, UnparsableOutput
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.accounting.bulk import Additions, BulkWriter
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.accounting.port import Outcome
from waldur_slurm.slurm.grammar.commands import ping_controller, show_clusters
from waldur_slurm.slurm.tools import Tools

WELL = Completed(0, "fine", "")
UNHEARD_OF = Completed(1, "", "sacctmgr: error: words of a release to come")
ASK = ("sacctmgr", "show", "assoc")
VERSION = Completed(0, "slurm-wlm 22.05.8\n", "")
LAB = ClusterName("lab")
PHYSICS, CPU = AccountName("physics"), TresName("cpu")
ROOT_ROW = "1|0|1|||||normal||root|||\n"


def physics(limits: str) -> Completed:
    return Completed(0, f"{ROOT_ROW}2|1|1|{limits}||||||physics|||\n", "")


def test_an_answer_is_returned() -> None:
    assert Tools(ScriptedTransport([WELL])).ask(ASK) == "fine"


def test_a_failure_is_a_refusal_when_slurmdbd_answers_another_question() -> None:
    transport = ScriptedTransport([UNHEARD_OF, WELL])
    with pytest.raises(CommandFailed, match="words of a release to come") as refused:
        Tools(transport).ask(ASK)
    assert not refused.value.transient
    assert transport.asked[1] == show_clusters()


@pytest.mark.parametrize("probe", [Completed(1, "", "?"), TransportError("no end within 5 s")])
def test_a_failure_is_silence_when_no_question_is_answered(
    probe: Completed | TransportError,
) -> None:
    with pytest.raises(AccountingDown):
        Tools(ScriptedTransport([UNHEARD_OF, probe])).ask(ASK)


@pytest.mark.parametrize("tool", ["squeue", "scancel", "scontrol", "sdiag"])
def test_slurmctld_is_probed_for_its_own_tools(tool: str) -> None:
    transport = ScriptedTransport([UNHEARD_OF, WELL])
    with pytest.raises(CommandFailed):
        Tools(transport).ask((tool, "something"))
    assert transport.asked[1] == ping_controller()


def test_a_success_that_lost_its_connection_is_silence() -> None:
    lost = Completed(0, "", "sacct: error: slurm_persist_conn_recv: Connection reset by peer")
    with pytest.raises(AccountingDown):
        Tools(ScriptedTransport([lost])).ask(ASK)


ASIDE = "wrapper: timeout of {} s in force"
WRAPPED_VERSION = Completed(0, "Be nice.\n\nslurm-wlm 22.05.8\n", ASIDE.format(31))


def test_words_that_are_said_for_a_version_too_are_no_silence_and_are_asked_for_once() -> None:
    answers = [Completed(0, f"{number}|\n", ASIDE.format(number)) for number in range(3)]
    transport = ScriptedTransport([answers[0], WRAPPED_VERSION, *answers[1:]])
    tools = Tools(transport)
    assert [tools.ask(ASK) for _ in range(3)] == ["0|\n", "1|\n", "2|\n"]
    assert transport.asked == [ASK, ("sacctmgr", "--version"), ASK, ASK]


@pytest.mark.parametrize(
    "version",
    [VERSION, Completed(1, "", ASIDE.format(1)), Completed(0, "", ASIDE.format(1))],
)
def test_words_that_no_version_explains_are_silence_and_alone_are_quoted(
    version: Completed,
) -> None:
    answer = Completed(0, "ClusterName = lab\n" * 500, f"fine\n{ASIDE.format(9)}")
    with pytest.raises(AccountingDown) as silent:
        Tools(ScriptedTransport([answer, version])).ask(("scontrol", "show", "config"))
    assert str(silent.value) == f"scontrol show config exited 0: {ASIDE.format(9)}"


def test_slurms_own_words_are_silence_whatever_a_wrapper_says() -> None:
    """Nothing is asked once more: those have the form that Slurm gives its errors."""
    lost = f"{ASIDE.format(1)}\nsacctmgr: error: slurm_persist_conn_recv: Connection reset by peer"
    with pytest.raises(AccountingDown):
        Tools(ScriptedTransport([Completed(0, "", lost)])).ask(ASK)


def test_a_wrapper_does_not_turn_a_refusal_into_silence() -> None:
    refused = Completed(1, "", f"{ASIDE.format(1)}\n Nothing modified")
    transport = ScriptedTransport([refused, WRAPPED_VERSION, WELL])
    with pytest.raises(CommandFailed, match="Nothing modified") as failed:
        Tools(transport).ask(ASK)
    assert not failed.value.transient


def test_a_banner_is_no_part_of_an_answer_read_whole_or_by_lines() -> None:
    listing = ("sacctmgr", "--parsable", "show", "assoc")
    answer = Completed(0, "Be nice.\n\n1|\n2|\n", "")
    assert Tools(ScriptedTransport([answer, WRAPPED_VERSION])).ask(listing) == "1|\n2|\n"
    tools = Tools(ScriptedTransport([answer, WRAPPED_VERSION]))
    assert list(tools.listen(listing)) == ["1|", "2|"]


def test_a_first_row_with_a_line_break_is_no_banner() -> None:
    listing = ("sacctmgr", "--parsable", "show", "account")
    answer = Completed(0, "full|one\ntwo|\n", "")
    for version in (VERSION, WRAPPED_VERSION, Completed(1, "", "?")):
        assert Tools(ScriptedTransport([answer, version])).ask(listing) == answer.out


def test_a_refusal_quotes_its_command_and_words_not_pages() -> None:
    pages = Completed(1, "row|\n" * 10_000, "sacctmgr: error: no such thing")
    with pytest.raises(CommandFailed) as refused:
        Tools(ScriptedTransport([pages, WELL])).ask((*ASK, "where", "name=" + "x" * 1000))
    assert str(refused.value).startswith("sacctmgr show assoc where name=xxx")
    assert "no such thing" in str(refused.value)
    assert len(str(refused.value)) < 700


def test_lines_are_heard_before_the_failure_that_takes_them_back() -> None:
    transport = ScriptedTransport([Completed(1, "1|\n2|\n", "x"), WELL])
    lines = Tools(transport).listen(ASK)
    assert [next(lines), next(lines)] == ["1|", "2|"]
    with pytest.raises(CommandFailed):
        next(lines)


def test_slurms_tools_lie_where_they_are_said_to_lie() -> None:
    transport = ScriptedTransport([WELL, WELL])
    line = Tools(transport, bin_path="/opt/slurm/bin/")
    line.ask(ASK)
    line.ask(("getent", "passwd"))
    assert [argv[0] for argv in transport.asked] == ["/opt/slurm/bin/sacctmgr", "getent"]


def test_times_are_asked_for_as_seconds_whatever_the_site_configured() -> None:
    transport = ScriptedTransport([WELL])
    Tools(transport).ask(ASK)
    assert transport.environs[0]["SLURM_TIME_FORMAT"] == "%s"
    assert transport.environs[0]["TZ"] == "UTC"


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


FORBIDDEN = Completed(1, "", " Your user does not have sufficient privileges to load files.\n")
ADDITIONS = Additions(file="Cluster - 'lab'\n", lines=[f"line {n}\n" for n in range(60)])


def test_whoever_may_not_load_says_the_same_in_lines_from_then_on() -> None:
    transport = ScriptedTransport([FORBIDDEN, *[WELL] * 6])
    writer = BulkWriter(Tools(transport))
    assert writer.write(ADDITIONS) == (commands.obey_lines(), WELL)
    writer.write(ADDITIONS)
    assert transport.asked == [commands.load(), *[commands.obey_lines()] * 6]
    assert "".join(transport.fed[4:]) == "".join(ADDITIONS.lines)


def test_a_file_that_slurm_refuses_for_what_it_holds_is_not_said_in_lines() -> None:
    refused = Completed(1, "", " error: no TRES known by type gres/nope")
    transport = ScriptedTransport([refused])
    assert BulkWriter(Tools(transport)).write(ADDITIONS) == (commands.load(), refused)


def test_after_lines_that_ended_badly_no_more_are_written() -> None:
    down = Completed(1, "", "Connection refused")
    transport = ScriptedTransport([FORBIDDEN, WELL, down])
    assert BulkWriter(Tools(transport)).write(ADDITIONS) == (commands.obey_lines(), down)


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
