"""Nodes, partitions, reservations, licences, QoS and controllers as 22.05 to 26.05 print them."""

from datetime import UTC, datetime

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.cluster import Controller, NodeState, Why
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.live.grammar import things

NODE = (
    "NodeName=n2 Arch=x86_64 CoresPerSocket=1  CPUAlloc=2 CPUEfctv=8 CPUTot=8 CPULoad=3.82 "
    "AvailableFeatures=fast,ib ActiveFeatures=(null) Gres=gpu:4 NodeAddr=127.0.0.1 "
    "OS=Linux 6.18.44 #1 SMP PREEMPT_DYNAMIC @0  RealMemory=32000 AllocMem=20 FreeMem=N/A "
    "State={state} Partitions=main,big  BootTime=1796011315 SlurmdStartTime=1796013674 "
    "CfgTRES=cpu=8,mem=32000M,billing=23,gres/gpu=4 AllocTRES= CapWatts=n/a Version=26.05.5 {tail}"
)
SINCE = datetime.fromtimestamp(1796014029, UTC)


def test_a_node_is_read_with_what_it_has_and_what_is_used_of_it() -> None:
    (node,) = things.parse_nodes(NODE.format(state="MIXED", tail="") + "\n")

    assert (node.name, str(node.state), node.why) == ("n2", "MIXED", None)
    assert (node.cpus, node.allocated_cpus, node.load) == (8, 2, 3.82)
    assert (node.memory_mib, node.allocated_memory_mib, node.free_memory_mib) == (32000, 20, None)
    assert (node.features, node.active_features) == (("fast", "ib"), ())
    assert node.partitions == ("main", "big")
    assert (dict(node.allocated_tres), node.tres[TresName("mem")], node.gres) == (
        {},
        32000,
        "gpu:4",
    )
    assert node.words["OS"] == "Linux 6.18.44 #1 SMP PREEMPT_DYNAMIC @0"


@pytest.mark.parametrize(
    "tail",
    [
        "Reason=bad disk State=IDLE CPUTot=1 [x] [root@1796014029]",
        "Reason=bad disk State=IDLE CPUTot=1 [x] [root@1796014029] Comment=c Extra=e",
        " Reason=bad disk State=IDLE CPUTot=1 [x] [root@1796014029] ReservationName=r2",
    ],
)
def test_a_reason_is_whole_and_changes_no_other_word(tail: str) -> None:
    (node,) = things.parse_nodes(NODE.format(state="DOWN*+DRAIN", tail=tail))

    assert node.why == Why("bad disk State=IDLE CPUTot=1 [x]", "root", SINCE)
    assert node.state == NodeState("DOWN", ("NOT_RESPONDING", "DRAIN"))
    assert node.cpus == 8


def test_a_reason_of_two_lines_makes_no_second_node() -> None:
    text = NODE.format(state="IDLE", tail="Reason=one\ntwo [root@1796014029]")
    found = things.parse_nodes(f"{text}\n{NODE.format(state='IDLE', tail='')}\n")

    assert [node.why and node.why.text for node in found] == ["one\ntwo", None]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("IDLE", NodeState("IDLE")),
        ("MIXED+DRAIN", NodeState("MIXED", ("DRAIN",))),
        ("IDLE~", NodeState("IDLE", ("POWERED_DOWN",))),
        ("FLOATING+NEW", NodeState("FLOATING", ("NEW",))),
    ],
)
def test_the_state_of_a_node_keeps_words_that_are_not_known(text: str, state: NodeState) -> None:
    assert things.parse_node_state(text) == state


def test_what_is_no_state_of_a_node_is_refused() -> None:
    with pytest.raises(UnparsableOutput):
        things.parse_node_state("idle?")


def test_a_node_that_lacks_a_word_is_refused() -> None:
    with pytest.raises(UnparsableOutput, match="CPUTot"):
        things.parse_nodes("NodeName=n1 State=IDLE")


PARTITION = (
    "PartitionName=main AllowGroups=ALL {accounts} AllowQos=normal,high AllocNodes=ALL Default=YES "
    "QoS=N/A DefaultTime=NONE Hidden=NO MaxNodes=UNLIMITED MaxTime=2-00:00:00 MinNodes=0 "
    "Nodes=n[1-2] PriorityTier=1 State=UP TotalCPUs=16 TotalNodes=2 TRES=cpu=16,mem=62.50G\n"
)


def test_a_partition_says_who_may_use_it_and_for_how_long() -> None:
    (open_one,) = things.parse_partitions(PARTITION.format(accounts="AllowAccounts=a,b"))
    (closed,) = things.parse_partitions(PARTITION.format(accounts="DenyAccounts=c"))

    assert (open_one.allowed_accounts, open_one.denied_accounts) == (("a", "b"), ())
    assert (closed.allowed_accounts, closed.denied_accounts) == (None, ("c",))
    assert (open_one.allowed_qos, open_one.allowed_groups) == (("normal", "high"), None)
    assert (open_one.max_time_s, open_one.default_time_s) == (172_800, None)
    assert (open_one.max_nodes, open_one.node_count, open_one.qos) == (None, 2, "")


def test_a_reservation_says_what_is_kept_for_whom() -> None:
    (found,) = things.parse_reservations(
        "ReservationName=maint StartTime=1796017629 EndTime=1796021229 Duration=01:00:00 Nodes=n1 "
        "NodeCnt=1 CoreCnt=8 Features=(null) PartitionName=(null) Flags=MAINT,SPEC_NODES TRES=cpu=8"
        " Users=root,ann Groups=(null) Accounts=(null) Licenses=(null) State=INACTIVE\n"
    )

    assert (found.name, found.hosts, found.users) == ("maint", "n1", ("root", "ann"))
    assert (found.flags, found.accounts, found.partition) == (("MAINT", "SPEC_NODES"), (), "")
    assert (found.end - found.start).total_seconds() == 3600


def test_where_there_is_nothing_slurm_says_so_in_words() -> None:
    assert things.parse_reservations("No reservations in the system\n") == ()
    assert things.parse_licenses("No licenses configured in Slurm.\n") == ()


def test_a_licence_is_counted() -> None:
    (found,) = things.parse_licenses(
        "LicenseName=ansys Total=100 Used=2 Free=98 Reserved=0 Remote=no\n"
    )

    assert (found.name, found.total, found.used, found.free) == ("ansys", 100, 2, 98)


def test_a_qos_with_a_bar_in_its_text_is_read_whole() -> None:
    text = (
        "5|DenyOnLimit|low|1-00:00:00|||3||||cpu=100,mem=1500G||||gres/gpu=2||high|fast | lane|\n"
    )
    (found,) = things.parse_qos(text)

    assert (found.name, found.priority, found.flags) == ("high", 5, ("DenyOnLimit",))
    assert (found.max_wall_s, found.jobs_per_user, found.group_jobs) == (86_400, 3, None)
    assert (found.tres_per_user, found.description) == ("gres/gpu=2", "fast | lane")


def test_each_slurmctld_is_up_or_down() -> None:
    assert things.parse_controllers("Slurmctld(primary) at a is DOWN\n*** hint ***\n") == (
        Controller("primary", "a", is_up=False),
    )
    with pytest.raises(UnparsableOutput):
        things.parse_controllers("hello\n")
