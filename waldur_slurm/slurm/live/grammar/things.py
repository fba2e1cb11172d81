"""Nodes, partitions, reservations, licences, QoS and controllers as Slurm prints them. Pure."""

import re

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.cluster import (
    Controller,
    License,
    Node,
    NodeState,
    Partition,
    Qos,
    Reservation,
    Why,
)
from waldur_slurm.slurm.grammar.rows import lines_of, split_rows
from waldur_slurm.slurm.grammar.values import parse_count, parse_integer
from waldur_slurm.slurm.live.grammar.columns import QosRow
from waldur_slurm.slurm.live.grammar.pairs import Pairs, parse_things
from waldur_slurm.slurm.live.grammar.values import (
    parse_bound,
    parse_decimal,
    parse_duration,
    parse_known_time,
    parse_list,
    parse_shared_tres,
    parse_time,
    parse_word,
    parse_yes,
)

_STATE = re.compile(r"([A-Z_]+)([*~#!%$@^-]?)((?:\+[A-Z_]+)*)", re.ASCII)
_SIGNS = {
    "*": "NOT_RESPONDING",
    "~": "POWERED_DOWN",
    "#": "POWERING_UP",
    "!": "POWER_DOWN",
    "%": "POWERING_DOWN",
    "$": "MAINTENANCE",
    "@": "REBOOT_REQUESTED",
    "^": "REBOOT_ISSUED",
    "-": "PLANNED",
}
"""Signs behind a node's base state, and the flags that they stand for."""

_WHY = re.compile(
    r" Reason=(.*) \[([^\s@\[\]]+)@(\w+)\](?=$|  ?(?:Comment|Extra|ReservationName)=)", re.DOTALL
)
_CONTROLLER = re.compile(r"Slurmctld\(([^()]+)\) at (\S+) is (UP|DOWN)")


def parse_nodes(text: str) -> tuple[Node, ...]:
    return tuple(_node(line, words) for line, words in parse_things(text, "NodeName"))


def _node(line: str, words: Pairs) -> Node:
    return Node(
        name=words["NodeName"],
        state=parse_node_state(words["State"]),
        cpus=parse_integer(words["CPUTot"]),
        allocated_cpus=parse_integer(words["CPUAlloc"]),
        load=parse_decimal(words["CPULoad"]),
        memory_mib=parse_integer(words["RealMemory"]),
        allocated_memory_mib=parse_integer(words["AllocMem"]),
        free_memory_mib=parse_bound(words["FreeMem"]),
        tres=parse_shared_tres(words["CfgTRES"]),
        allocated_tres=parse_shared_tres(words["AllocTRES"]),
        gres=parse_word(words["Gres"]),
        features=parse_list(words["AvailableFeatures"]),
        active_features=parse_list(words["ActiveFeatures"]),
        partitions=parse_list(words.get("Partitions", "")),
        version=parse_word(words.get("Version", "")),
        booted=parse_time(words["BootTime"]),
        slurmd_started=parse_time(words["SlurmdStartTime"]),
        why=_why(line),
        words=words,
    )


def parse_node_state(text: str) -> NodeState:
    match = _STATE.fullmatch(text)
    if match is None:
        raise UnparsableOutput(f"not the state of a node: {text[:80]!r}")
    base, sign, flags = match.groups()
    return NodeState(base, (*filter(None, [_SIGNS.get(sign), *flags.split("+")]),))


def _why(line: str) -> Why | None:
    """Read the reason whole: it may hold words that look like Slurm's own."""
    match = _WHY.search(line)
    return None if match is None else Why(match[1], match[2], parse_time(match[3]))


def parse_partitions(text: str) -> tuple[Partition, ...]:
    return tuple(_partition(words) for _, words in parse_things(text, "PartitionName"))


def _partition(words: Pairs) -> Partition:
    return Partition(
        name=words["PartitionName"],
        state=words["State"],
        is_default=parse_yes(words["Default"]),
        is_hidden=parse_yes(words["Hidden"]),
        hosts=parse_word(words["Nodes"]),
        node_count=parse_integer(words["TotalNodes"]),
        cpus=parse_integer(words["TotalCPUs"]),
        max_time_s=parse_duration(words["MaxTime"]),
        default_time_s=parse_duration(words["DefaultTime"]),
        max_nodes=parse_bound(words["MaxNodes"]),
        min_nodes=parse_integer(words["MinNodes"]),
        priority_tier=parse_integer(words["PriorityTier"]),
        qos=parse_word(words["QoS"]),
        allowed_accounts=_allowed(words, "AllowAccounts"),
        denied_accounts=parse_list(words.get("DenyAccounts", "")),
        allowed_qos=_allowed(words, "AllowQos"),
        denied_qos=parse_list(words.get("DenyQos", "")),
        allowed_groups=_allowed(words, "AllowGroups"),
        words=words,
    )


def _allowed(words: Pairs, name: str) -> tuple[str, ...] | None:
    """Read who is let in; a partition that denies some has no list of those allowed."""
    text = words.get(name, "ALL")
    return None if text == "ALL" else parse_list(text)


def parse_reservations(text: str) -> tuple[Reservation, ...]:
    return tuple(_reservation(words) for _, words in parse_things(text, "ReservationName"))


def _reservation(words: Pairs) -> Reservation:
    return Reservation(
        name=words["ReservationName"],
        state=words["State"],
        start=parse_known_time(words["StartTime"]),
        end=parse_known_time(words["EndTime"]),
        hosts=parse_word(words["Nodes"]),
        node_count=parse_integer(words["NodeCnt"]),
        cores=parse_integer(words["CoreCnt"]),
        partition=parse_word(words["PartitionName"]),
        flags=parse_list(words["Flags"]),
        users=parse_list(words["Users"]),
        accounts=parse_list(words["Accounts"]),
        licenses=parse_word(words["Licenses"]),
        words=words,
    )


def parse_licenses(text: str) -> tuple[License, ...]:
    return tuple(
        License(
            name=words["LicenseName"],
            total=parse_integer(words["Total"]),
            used=parse_integer(words["Used"]),
            free=parse_integer(words["Free"]),
            reserved=parse_integer(words["Reserved"]),
            is_remote=parse_yes(words["Remote"]),
        )
        for _, words in parse_things(text, "LicenseName")
    )


def parse_qos(text: str) -> tuple[Qos, ...]:
    rows = split_rows(lines_of(text), QosRow, open_column="description")
    return tuple(map(_qos, rows))


def _qos(row: QosRow) -> Qos:
    return Qos(
        name=row.name,
        priority=parse_integer(row.priority),
        flags=parse_list(row.flags),
        preempts=parse_list(row.preempt),
        max_wall_s=parse_duration(row.maxwall),
        group_jobs=parse_count(row.grpjobs),
        group_submitted_jobs=parse_count(row.grpsubmit),
        jobs_per_user=parse_count(row.maxjobspu),
        submitted_jobs_per_user=parse_count(row.maxsubmitpu),
        jobs_per_account=parse_count(row.maxjobspa),
        submitted_jobs_per_account=parse_count(row.maxsubmitpa),
        group_tres=row.grptres,
        group_tres_minutes=row.grptresmins,
        tres_per_job=row.maxtres,
        tres_per_node=row.maxtrespernode,
        tres_per_user=row.maxtrespu,
        tres_per_account=row.maxtrespa,
        description=row.description,
    )


def parse_controllers(text: str) -> tuple[Controller, ...]:
    found = [match.groups() for match in map(_CONTROLLER.match, lines_of(text)) if match]
    if not found:
        raise UnparsableOutput(f"no word of any slurmctld: {text[:200]!r}")
    return tuple(Controller(role, host, said == "UP") for role, host, said in found)
