"""A record says what was asked for a job, in each form; one that is unclear says nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.details import NO_TRES, asked
from waldur_slurm.model.details import Asked, Layout, MemoryOf, Record, TasksPer
from waldur_slurm.slurm.live.grammar.records import RecordReader

PRINTED = (
    "BatchFlag=1 Reboot=0 ExitCode=0:0 DerivedExitCode=0:0 TimeMin=N/A AccrueTime=Unknown "
    "SuspendTime=None SecsPreSuspend=0 AllocNode:Sid=login:4711 ReqNodeList=(null) "
    "ExcNodeList=(null) NodeList= NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:* "
    "TRES=cpu=1,mem=10M,node=1,billing=1 Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=* "
    "MinCPUsNode=1 MinMemoryNode=10M MinTmpDiskNode=0 Features=(null) OverSubscribe=OK "
    "Contiguous=0 Network=(null) Command=(null) WorkDir=/tmp StdErr=/dev/null StdIn=/dev/null "
    "StdOut=/dev/null Power= "
)
HEAD = "JobId=7 JobName=x UserId=ann(1000) "


def read(text: str = PRINTED) -> Record | None:
    return RecordReader().read(f"{HEAD}{text}", None)


def told(printed: str, instead: str) -> Record:
    """Read a record that says `instead` where a plain one has `printed`."""
    assert printed in PRINTED
    found = read(PRINTED.replace(printed, instead))
    assert found is not None
    return found


def test_a_job_that_asks_for_nothing_in_particular_has_what_every_job_has() -> None:
    found = read()

    assert found is not None
    assert found.asked == asked()
    assert (found.submit_host, found.session, found.stdin) == ("login", 4711, "/dev/null")
    assert (found.accrued, found.suspended, found.resized) == (None, None, None)


@pytest.mark.parametrize(
    ("printed", "instead", "changes"),
    [
        ("BatchFlag=1", "BatchFlag=0", {"is_batch": False}),
        ("Reboot=0", "Reboot=1", {"reboots": True}),
        ("TimeMin=N/A", "TimeMin=1-00:10:00", {"min_limit_s": 87_000}),
        ("ExcNodeList=(null)", "ExcNodeList=n[1-2]", {"excluded_hosts": "n[1-2]"}),
        ("NumNodes=1", "NumNodes=2-4", {"max_nodes": 4}),
        ("NumCPUs=1", "NumCPUs=1-8", {"max_cpus": 8}),
        ("CPUs/Task=1", "CPUs/Task=N/A", {"cpus_per_task": None}),
        ("B:S:C:T=0:0:*:*", "B:S:C:T=1:2:3:1", {"layout": Layout(1, 2, None, 3, 1)}),
        ("Socks/Node=*", "Socks/Node=2", {"layout": Layout(0, 0, 2, None, None)}),
        ("N:B:S:C=0:0:*:*", "N:B:S:C=4:0:2:1", {"tasks_per": TasksPer(4, 0, 2, 1)}),
        ("CoreSpec=*", "CoreSpec=1", {"specialized_cores": 1}),
        ("MinCPUsNode=1", "MinCPUsNode=2", {"min_cpus": 2}),
        ("MinMemoryNode=10M", "MinMemoryNode=1.50G", {"memory_mib": 1536}),
        ("MinMemoryNode=10M", "MinMemoryCPU=10M", {"memory_of": MemoryOf.CPU}),
        ("MinMemoryNode=10M", "MinMemoryTRES=10M", {"memory_of": MemoryOf.TRES}),
        ("MinTmpDiskNode=0", "MinTmpDiskNode=2G", {"min_disk_mib": 2048}),
        ("OverSubscribe=OK", "OverSubscribe=USER", {"sharing": "USER"}),
        ("Contiguous=0", "Contiguous=1", {"is_contiguous": True}),
        ("Network=(null)", "Network=ib", {"network": "ib"}),
        ("Power= ", "BatchFeatures=a Power= ", {"batch_features": "a"}),
        ("Power= ", "ClusterFeatures=a Power= ", {"cluster_features": "a"}),
        ("Power= ", "BurstBuffer=#BB a b=c Power= ", {"burst_buffer": "#BB a b=c"}),
        ("Power= ", "Switches=1@00:05:00 Power= ", {"switches": 1, "switches_wait_s": 300}),
        ("Power= ", "", {"power": None}),
        ("TRES=", "ReqTRES=", {"requested": "cpu=1,mem=10M,node=1,billing=1"}),
        ("Power= ", "Power= TresPerJob=gpu:1 ", {"tres": NO_TRES._replace(per_job="gpu:1")}),
        ("Power= ", "Power= TresBind=gpu:closest ", {"tres": NO_TRES._replace(bind="gpu:closest")}),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_read(printed: str, instead: str, changes: dict[str, Any]) -> None:
    assert told(printed, instead).asked == asked(**changes)


@pytest.mark.parametrize(
    ("two_words", "one_word"),
    [
        ("OverSubscribe=NO Exclusive=NO", "OK"),
        ("OverSubscribe=YES Exclusive=NO", "YES"),
        ("OverSubscribe=NO Exclusive=NODE", "NO"),
        ("OverSubscribe=NO Exclusive=USER", "USER"),
        ("OverSubscribe=NO Exclusive=MCS", "MCS"),
    ],
)
def test_what_26_05_says_of_sharing_in_two_words_is_one_again(
    two_words: str, one_word: str
) -> None:
    assert told("OverSubscribe=OK", two_words).asked.sharing == one_word


def test_times_exit_codes_and_files_are_read() -> None:
    when = datetime.fromtimestamp(1_796_014_212, UTC)

    assert told("AccrueTime=Unknown", "AccrueTime=1796014212").accrued == when
    assert told("SuspendTime=None", "SuspendTime=1796014212").suspended == when
    assert told("Power= ", "ResizeTime=1796014212 Power= ").resized == when
    assert told("Power= ", "PreemptTime=1796014212 Power= ").preempted == when
    assert told("DerivedExitCode=0:0", "DerivedExitCode=3:9").derived_exit == (3, 9)
    assert told("StdIn=/dev/null", "StdIn=/tmp/a b = c").stdin == "/tmp/a b = c"  # noqa: S108 - a name
    assert told("StdIn=/dev/null ", "").stdin is None
    assert told("Power= ", "HetJobIdSet=2-3 Power= ").components == "2-3"


@pytest.mark.parametrize(
    ("printed", "instead"),
    [
        ("Command=(null)", "Command=x Reboot=1"),
        ("Command=(null)", "Command=x MinMemoryNode=9G"),
        ("Command=(null)", "Command=x MinMemoryCPU=9G"),
        ("Command=(null)", "Command=x AllocNode:Sid=there:1"),
        ("MinMemoryNode=10M ", ""),
        ("MinCPUsNode=1 ", ""),
        ("AllocNode:Sid=login:4711 ", ""),
        ("MinCPUsNode=1", "MinCPUsNode=-1"),
        ("AllocNode:Sid=login:4711", "AllocNode:Sid=login"),
        ("DerivedExitCode=0:0", "DerivedExitCode=x"),
        ("B:S:C:T=0:0:*:*", "B:S:C:T=0:0:*"),
        ("Contiguous=0", "Contiguous=maybe"),
    ],
)
def test_a_record_that_says_something_twice_or_unclearly_says_nothing(
    printed: str, instead: str
) -> None:
    assert printed in PRINTED
    assert read(PRINTED.replace(printed, instead)) is None


def test_jobs_that_ask_for_the_same_share_one_value() -> None:
    reader = RecordReader()
    found: list[Asked] = []
    for session in (1, 2):
        record = reader.read(f"{HEAD}{PRINTED.replace(':4711', f':{session}')}", None)
        assert record is not None
        assert record.session == session
        found.append(record.asked)

    assert found[0] is found[1]
