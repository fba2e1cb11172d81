"""A forged record makes details unknown at most, and never wrong."""

from typing import Any

import pytest

from tests.unit.slurm.live.grammar.test_jobs import parsed
from tests.unit.slurm.live.grammar.test_records import PRINTED
from tests.unit.slurm.live.queue import PLAIN
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import LiveJob, NodeShare
from waldur_slurm.slurm.live.grammar.details import details_of, parse_claims

JOB = parsed(PLAIN)
SHARES = "Nodes=n[1-2] CPU_IDs=0-1,4 Mem=20 GRES=gpu:1(IDX:0) "


def record(
    name: str = "wrap", *, number: int = 7, uid: int = 1000, shares: str = SHARES, tail: str = ""
) -> str:
    return (
        f"JobId={number} JobName={name} UserId=ann({uid}) GroupId=ann(1000) JobState=RUNNING "
        "SubmitTime=1796014212 EligibleTime=1796014212 NumNodes=2 CPUs/Task=2 JOB_GRES=gpu:1   "
        f"{shares}MinCPUsNode=2 Command=/x {tail}WorkDir=/tmp"
    )


def told(text: str, job: LiveJob = JOB) -> tuple[NodeShare, ...] | None:
    found = details_of(job, parse_claims(text.split("\n"), frozenset({7})).get(7, ()))
    return found.shares if found else None


def test_what_a_job_holds_is_told_by_its_only_record() -> None:
    assert told(record()) == (NodeShare("n[1-2]", "0-1,4", 20, "gpu:1(IDX:0)"),)
    apart = "Nodes=n1 CPU_IDs=0 Mem=20 GRES=  Nodes=n2 CPU_IDs=8-9 Mem=0 GRES= "
    found = told(record(shares=apart))
    assert found is not None
    assert [(share.hosts, share.cpus, [*share.cpu_numbers]) for share in found] == [
        ("n1", 1, [0]),
        ("n2", 2, [8, 9]),
    ]


@pytest.mark.parametrize("number", [8, 70])
def test_records_of_other_jobs_say_nothing(number: int) -> None:
    assert told(record(number=number)) is None


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        (record(uid=0), "another user"),
        (record().replace("SubmitTime=1796014212", "SubmitTime=1796014213"), "another time"),
        (record(shares="Nodes=n1 CPU_IDs=0 Mem=20 GRES= "), "fewer nodes"),
        (record(shares="Nodes=n[1-3] CPU_IDs=0 Mem=20 GRES= "), "more nodes"),
        (record(shares="Nodes=n[1-2],n1 CPU_IDs=0 Mem=1 GRES= "), "a node twice"),
        (record(shares="Nodes=n[1-99999999] CPU_IDs=0 Mem=1 GRES= "), "too many nodes"),
        (record(shares=""), "nothing held"),
        (record(f"x JOB_GRES=x {SHARES}MinCPUsNode=1"), "two lots of shares"),
        (record("x UserId=root(0) GroupId=root(0)"), "two owners"),
        (record(tail="SubmitTime=1 EligibleTime=1 SubmitTime=2 EligibleTime="), "three times"),
    ],
)
def test_a_record_that_does_not_fit_the_queue_is_not_believed(words: str, claims: str) -> None:
    assert told(words) is None, claims


def test_a_job_that_two_records_claim_is_contested_and_neither_is_believed() -> None:
    forger = f"JobId=9 JobName=x\n{record(shares=SHARES.replace('20', '999'))}\n9"
    text = f"{forger}\n{record()}"

    assert told(text) is None
    assert len(parse_claims(text.split("\n"), frozenset({7}))[7]) == 2


def test_a_forged_record_stays_contested_when_the_true_one_holds_nothing_any_more() -> None:
    assert told(f"{record()}\n{record(shares='')}") is None


@pytest.mark.parametrize(
    "words",
    [
        "ArrayJobId=3 ArrayTaskId=4 ArrayTaskThrottle=2",
        "ArrayJobId=3 ArrayTaskId=4",
        "HetJobId=4 HetJobOffset=1",
    ],
)
def test_a_part_of_a_job_has_a_record_of_its_own(words: str) -> None:
    text = f"{record(number=8)}\n{record().replace(' JobName', f' {words} JobName')}"
    assert told(text) is not None


def test_a_forger_hides_nobody_elses_record() -> None:
    forger = "JobId=9 JobName=x\n\nJobId=8 JobName=y UserId="
    assert told(f"{forger}\n{record()}") is not None


@pytest.mark.parametrize("changes", [{"hosts": ""}, {"state": JobState("COMPLETED")}])
def test_a_job_that_waits_or_has_ended_holds_nothing_for_certain(changes: dict[str, Any]) -> None:
    assert told(record(shares=""), JOB._replace(**changes)) == ()


def test_how_many_tasks_run_at_once_is_told_before_all_that_an_owner_writes() -> None:
    head = "JobId=7 ArrayJobId=3 ArrayTaskId=4 ArrayTaskThrottle=2 JobName=x ArrayTaskThrottle=9 "
    text = f"{head}UserId=ann(1000) GroupId=g(1) SubmitTime=1796014212 EligibleTime=0 {PRINTED}"
    found = details_of(JOB, parse_claims([text], frozenset({7}))[7])

    assert found is not None
    assert found.record is not None
    assert found.record.at_once == 2


def test_shares_are_of_the_run_that_was_asked_about() -> None:
    later = JOB._replace(submitted=JOB.submitted.replace(year=2027))
    assert told(record(), later) is None
