"""Whether a failed command was refused or not heard is decided by evidence."""

import pytest

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.errors import AccountingDown, CommandFailed, TransportError
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.grammar.commands import ping_controller, show_clusters
from waldur_slurm.slurm.tools import Tools

WELL = Completed(0, "fine", "")
UNHEARD_OF = Completed(1, "", "sacctmgr: error: words of a release to come")
ASK = ("sacctmgr", "show", "assoc")
VERSION = Completed(0, "slurm-wlm 22.05.8\n", "")


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
