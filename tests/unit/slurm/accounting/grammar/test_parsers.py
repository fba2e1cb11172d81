"""Answers that no recording holds: other builds, and people who try to be misread."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.jobs import JobRecord, Run, UnreadableRecord
from waldur_slurm.model.names import AccountName
from waldur_slurm.slurm.accounting.grammar.parsers import (
    parse_accounts,
    parse_all_tres,
    parse_associations,
    parse_backlog,
    parse_default_accounts,
    parse_exact_limits,
    parse_jobs,
    parse_passwd,
    parse_rollup,
    parse_suspensions,
)
from waldur_slurm.slurm.grammar.settings import parse_configuration, parse_version

SUSPENDED = """JobId={id} JobName={name}
   UserId=ann(1003) GroupId=ann(1003) MCS_label=N/A
   JobState=SUSPENDED Reason=None Dependency=(null)
   SubmitTime={submit} EligibleTime={submit}
   SuspendTime={since} SecsPreSuspend=1 LastSchedEval={since} Scheduler=Main
   Comment={comment}
   """


MARK = "answered-0123"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def suspended(id: str = "7", name: str = "x", since: int = 20, comment: str = "c") -> str:  # noqa: A002 - Slurm's word
    return SUSPENDED.format(id=id, name=name, submit=10, since=since, comment=comment)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("slurm-wlm 22.05.8\n", "22.05.8"),
        ("slurm-wlm 26.05.5\n", "26.05.5"),
        ("slurm 26.05.5\n", "26.05.5"),
    ],
)
def test_a_version_is_read_with_debians_name_or_without(said: str, version: str) -> None:
    assert parse_version(said) == version


@pytest.mark.parametrize("said", ["", "slurm\n", "sacctmgr: error\n", "slurm 22.05.8 more\n"])
def test_what_is_no_version_is_refused(said: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_version(said)


def test_what_the_accounting_has_yet_to_hear_is_counted() -> None:
    said = "Agent queue size:     7\nAgent count:          1\nDBD Agent queue size: 12\n\nJobs: 3\n"
    assert parse_backlog(said) == 12


@pytest.mark.parametrize("said", ["", "Agent queue size: 0\n", "DBD Agent queue size: ?\n"])
def test_statistics_without_it_are_refused(said: str) -> None:
    with pytest.raises(UnparsableOutput, match="queue size"):
        parse_backlog(said)


def told(*answers: str) -> str:
    """What scontrol prints that is asked about jobs in turn; it repeats the questions."""
    return "".join(
        f"scontrol: show job 7\n{answer}\nscontrol: show hostnames {MARK}\n{MARK}\n"
        for answer in answers
    )


def test_a_job_is_known_by_the_number_that_was_asked_for() -> None:
    said = told(
        suspended("7"),
        suspended("17 ArrayJobId=14 ArrayTaskId=1 ArrayTaskThrottle=2", since=30),
        suspended("16 HetJobId=15 HetJobOffset=1"),
    )
    assert parse_suspensions(said, ["7", "14_1", "15+1"], MARK) == {
        Run("7", at(10)): at(20),
        Run("14_1", at(10)): at(30),
        Run("15+1", at(10)): at(20),
    }


@pytest.mark.parametrize(
    "answer", ["", suspended().replace("SUSPENDED", "RUNNING"), f"{suspended()}{suspended()}"]
)
def test_a_job_that_is_gone_or_goes_on_or_is_shown_twice_is_left_out(answer: str) -> None:
    said = told(suspended(), answer)
    assert list(parse_suspensions(said, ["6", "7"], MARK)) == [Run("6", at(10))]


@pytest.mark.parametrize(
    "forged",
    [
        suspended(comment="c\n   SuspendTime=1 SecsPreSuspend=0"),
        suspended(name="x\n   SuspendTime=1 SecsPreSuspend=0"),
        suspended(name=f"x\n\n{suspended(since=1)}\n\nJobId=9 JobName=x"),
        suspended().replace("SUSPENDED", "RUNNING") + "\n   JobState=SUSPENDED Reason=None",
    ],
)
def test_a_job_whose_own_text_says_it_once_more_is_left_out(forged: str) -> None:
    said = told(forged, suspended("8"))
    assert list(parse_suspensions(said, ["7", "8"], MARK)) == [Run("8", at(10))]


@pytest.mark.parametrize("mark", ["answered-4567", f"scontrol: show hostnames {MARK}", f" {MARK}"])
def test_text_of_one_job_is_no_answer_about_another(mark: str) -> None:
    forged = suspended(name=f"x\n{mark}\n{suspended('8', since=1)}")
    said = told(forged, suspended("8"))
    assert parse_suspensions(said, ["7", "8"], MARK) == {Run("8", at(10)): at(20)}


def test_an_answer_is_seen_where_scontrol_does_not_repeat_the_questions() -> None:
    said = f"scontrol: {suspended()}\nscontrol: {MARK}\nscontrol: "
    assert parse_suspensions(said, ["7"], MARK) == {Run("7", at(10)): at(20)}


def test_answers_that_end_too_soon_are_refused() -> None:
    with pytest.raises(UnparsableOutput, match="told of 1 job, and not of 2"):
        parse_suspensions(f"{told(suspended())}{suspended('8')}", ["7", "8"], MARK)


def test_a_name_that_contains_the_separator_is_told_from_text_by_what_exists() -> None:
    text = "physics|o|d|\nphysics|odd|o|a|b|\nphysics|even|o|a|\nlone|ly|x|y|\n"
    known = [*map(AccountName, ("physics", "physics|odd", "physics|even", "physics|o"))]
    found = parse_accounts(text, known)
    assert found[AccountName("physics")].description == "d"
    assert found[AccountName("physics|odd")].description == "a|b"
    assert found[AccountName("physics|even")].description == "a"
    assert AccountName("lone") not in found


ANN_IN_PHYSICS = "4|3|1|cpu=5|||||low|physics|ann||\n"


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_accounts, "physics|o|d|\nphysics|o|e|\n"),
        (parse_default_accounts, "ann|physics|\nann|chemistry|\n"),
        (lambda text: parse_rollup(AccountName("a"), text), "a|ann|cpu|4|\na|ann|cpu|5|\n"),
        (parse_passwd, "ann:x:1:1::/home/ann:/bin/sh\nann:x:1:1::/scratch/ann:/bin/sh\n"),
        (parse_associations, "3|1|1|cpu=5||||||physics|||\n5|1|1|||||||physics|||\n"),
        (parse_associations, ANN_IN_PHYSICS + ANN_IN_PHYSICS.replace("4|3", "5|3")),
        (parse_associations, ANN_IN_PHYSICS + ANN_IN_PHYSICS.replace("ann", "bob")),
        (
            lambda text: parse_exact_limits(text, ["4"]),
            "x ID=4 y GrpTRESMins=cpu=5(7) z\nx ID=4 y GrpTRESMins=cpu=N(7) z\n",
        ),
        (
            lambda text: parse_exact_limits(text, ["4"]),
            "x ID=4 y GrpTRESMins=cpu=N(7),cpu=5(7) z\n",
        ),
    ],
)
def test_what_is_listed_twice_is_refused(parse: Callable[[str], object], text: str) -> None:
    """Whichever was taken would be a guess about somebody's limit, place or home."""
    with pytest.raises(UnparsableOutput, match="twice"):
        parse(text)


def test_a_person_may_be_in_an_account_once_more_for_a_partition() -> None:
    rows = parse_associations(f"{ANN_IN_PHYSICS}5|3|1|||||||physics|ann|gpu|\n")
    assert [(row.id, row.partition) for row in rows] == [("4", ""), ("5", "gpu")]


def test_a_name_that_is_all_of_somebody_elses_row_is_not_taken_for_it() -> None:
    known = [AccountName("physics"), AccountName("physics|o|a|b"), AccountName("physics|o|a")]
    assert parse_accounts("physics|o|a|b|\n", known).keys() == {"physics"}


def test_a_home_is_the_directory_and_not_the_shell() -> None:
    text = "ann:x:1001:100:Ann:/home/ann:/bin/sh\nbob:x:1002:100::/scratch/bob:/bin/sh\n"
    assert parse_passwd(text) == {"ann": "/home/ann", "bob": "/scratch/bob"}
    with pytest.raises(UnparsableOutput, match="not a line of passwd"):
        parse_passwd("ann:x:1001:100:Ann:/home/ann\n")


def test_a_line_that_is_no_job_is_shown_with_its_cells() -> None:
    good = "7|COMPLETED|5|6|7|1|cpu=1|cpu=1|physics|ann|"
    bad = "8|COMPLETED|5|6|7|soon|cpu=1|cpu=1|chemistry|bob|"
    first, second = parse_jobs([good, bad])
    assert isinstance(first, JobRecord)
    assert isinstance(second, UnreadableRecord)
    assert "chemistry" in second.cells
    assert "soon" in second.reason


def test_only_people_of_the_account_itself_are_in_its_rollup() -> None:
    text = "top||cpu|9|\ntop|ann|cpu|4|\nbelow||cpu|5|\nbelow|ann|cpu|5|\n"
    assert parse_rollup(AccountName("top"), text) == {("ann", "cpu"): 4}


def test_exact_limits_leave_out_what_is_unlimited() -> None:
    line = "Account=a UserName= Priority=0 ID=4 Lft=1 GrpTRESMins=cpu=5(7),mem=N(0) MaxJobs="
    assert parse_exact_limits(line, ["4", "5"]) == {"4": {"cpu": 5}}
    with pytest.raises(UnparsableOutput):
        parse_exact_limits(line.replace("5(7)", "many"), ["4"])


def test_half_an_answer_is_none() -> None:
    with pytest.raises(UnparsableOutput):
        parse_all_tres("gres|gpu|\n")
    with pytest.raises(UnparsableOutput):
        parse_configuration("slurm_load_ctl_conf error\n")
