"""One job's record from `scontrol show job`, read as a whole. Pure.

It stands among words of the job's owner alone. So a thing that it says twice may be anybody's
invention, and then, as where something is not understood, the record says nothing at all.
"""

import re
from collections.abc import Mapping

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.details import Asked, Layout, MemoryOf, Record, TasksPer, TresAsked
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.grammar.values import parse_amount, parse_integer
from waldur_slurm.slurm.live.grammar.values import (
    parse_bound,
    parse_duration,
    parse_exit,
    parse_known_duration,
    parse_time,
    parse_word,
)

_BETWEEN = re.compile(r" (?=[A-Z][A-Za-z_:/]*=)", re.ASCII)
_SUBMITTER = "AllocNode:Sid"
_OWN = (
    _SUBMITTER, "StdIn", "DerivedExitCode", "AccrueTime", "SuspendTime", "ResizeTime",
    "PreemptTime", "HetJobIdSet",
)  # fmt: skip
_MEMORIES = {
    MemoryOf.NODE: "MinMemoryNode",
    MemoryOf.CPU: "MinMemoryCPU",
    MemoryOf.TRES: "MinMemoryTRES",
}
_TRES = (
    "CpusPerTres", "MemPerTres", "TresBind", "TresFreq", "TresPerJob", "TresPerSocket",
    "TresPerTask",
)  # fmt: skip
_COMMON = (
    *_MEMORIES.values(), *_TRES,
    "BatchFlag", "Reboot", "TimeMin", "ExcNodeList", "NumNodes", "NumCPUs", "CPUs/Task",
    "ReqB:S:C:T", "ReqTRES", "Socks/Node", "NtasksPerN:B:S:C", "CoreSpec", "MinCPUsNode",
    "MinTmpDiskNode", "OverSubscribe", "Exclusive", "Contiguous", "Network", "BatchFeatures",
    "ClusterFeatures", "BurstBuffer", "Switches", "Power",
)  # fmt: skip
"""What is said alike of most jobs."""

_NAMES = frozenset((*_OWN, *_COMMON))
_MEMORY = TresName("mem")
_ANYTHING = "*"

Said = Mapping[str, str]


class RecordReader:
    """Reads the records of one answer; what is said alike of many is read once, and kept."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str | None, ...], Asked | None] = {}

    def read(self, text: str, at_once: int | None) -> Record | None:
        said = _said(text)
        if said is None:
            return None
        common = tuple(map(said.get, _COMMON))
        if common not in self._kept:
            self._kept[common] = _asked_or_none(said)
        asked = self._kept[common]
        return None if asked is None else _record_or_none(said, asked, at_once)


def _said(text: str) -> Said | None:
    """Return what is said by name; None where something is said twice."""
    found: dict[str, str] = {}
    for item in _BETWEEN.split(text.rstrip()):
        name, _, value = item.partition("=")
        if name in _NAMES:
            if name in found:
                return None
            found[name] = value
    return found


def _record_or_none(said: Said, asked: Asked, at_once: int | None) -> Record | None:
    host, _, session = said.get(_SUBMITTER, "").rpartition(":")
    try:
        return Record(
            asked=asked,
            components=parse_word(said.get("HetJobIdSet", "")),
            at_once=at_once,
            submit_host=host,
            session=parse_integer(session),
            stdin=said.get("StdIn"),
            derived_exit=parse_exit(said.get("DerivedExitCode", "")),
            accrued=parse_time(said.get("AccrueTime", "")),
            suspended=parse_time(said.get("SuspendTime", "")),
            resized=parse_time(said.get("ResizeTime", "")),
            preempted=parse_time(said.get("PreemptTime", "")),
        )
    except UnparsableOutput:
        return None


def _asked_or_none(said: Said) -> Asked | None:
    try:
        return _asked(said)
    except (UnparsableOutput, KeyError):
        return None


def _asked(said: Said) -> Asked:
    memory_of, memory_mib = _memory(said)
    switches, _, wait = said.get("Switches", "0@00:00").partition("@")
    return Asked(
        is_batch=_flag(said["BatchFlag"]),
        memory_mib=memory_mib,
        memory_of=memory_of,
        min_cpus=parse_integer(said["MinCPUsNode"]),
        min_disk_mib=parse_amount(_MEMORY, said["MinTmpDiskNode"]),
        cpus_per_task=parse_bound(said["CPUs/Task"]),
        max_cpus=_upper(said["NumCPUs"]),
        max_nodes=_upper(said["NumNodes"]),
        layout=_layout(said),
        tasks_per=TasksPer._make(_bounds(said["NtasksPerN:B:S:C"], 4)),
        specialized_cores=_bound(said.get("CoreSpec", _ANYTHING)),
        min_limit_s=parse_duration(said["TimeMin"]) or 0,
        excluded_hosts=parse_word(said["ExcNodeList"]),
        is_contiguous=_flag(said["Contiguous"]),
        reboots=_flag(said["Reboot"]),
        sharing=_sharing(said),
        switches=parse_integer(switches),
        switches_wait_s=parse_known_duration(wait),
        power=said.get("Power"),
        network=parse_word(said.get("Network", "")),
        batch_features=parse_word(said.get("BatchFeatures", "")),
        cluster_features=parse_word(said.get("ClusterFeatures", "")),
        burst_buffer=parse_word(said.get("BurstBuffer", "")),
        requested=parse_word(said.get("ReqTRES", "")) or None,
        tres=TresAsked._make(parse_word(said.get(name, "")) for name in _TRES),
    )


def _memory(said: Said) -> tuple[MemoryOf, int]:
    """Tell what for, and how much; it is said of one thing only."""
    found = [(of, said[name]) for of, name in _MEMORIES.items() if name in said]
    if len(found) != 1:
        raise UnparsableOutput("not one amount of memory")
    ((of, amount),) = found
    return of, parse_amount(_MEMORY, amount)


def _layout(said: Said) -> Layout:
    boards, sockets, cores, threads = _bounds(said["ReqB:S:C:T"], 4)
    return Layout(boards, sockets, _bound(said["Socks/Node"]), cores, threads)


def _sharing(said: Said) -> str:
    """26.05 tells two things apart that were one word before; the word is made of them again."""
    word, exclusive = said["OverSubscribe"], said.get("Exclusive")
    if exclusive is None:
        return word
    if exclusive == "NO":
        return "YES" if word == "YES" else "OK"
    return "NO" if exclusive == "NODE" else exclusive


def _upper(text: str) -> int:
    """Read what stands behind the dash of `2-4`; without one there is no bound."""
    _, dash, upper = text.partition("-")
    return parse_integer(upper) if dash else 0


def _bounds(text: str, count: int) -> list[int | None]:
    found = [_bound(part) for part in text.split(":")]
    if len(found) != count:
        raise UnparsableOutput(f"not {count} numbers: {text[:80]!r}")
    return found


def _bound(text: str) -> int | None:
    return None if text == _ANYTHING else parse_bound(text)


def _flag(text: str) -> bool:
    return parse_integer(text) != 0
