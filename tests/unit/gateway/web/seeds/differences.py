"""How two JSON values differ, and which differences from the original are meant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Found:
    """`kind` is missing, extra, order, type, length or value."""

    path: str
    kind: str
    theirs: Any = None
    ours: Any = None


def differences(theirs: Any, ours: Any, path: str = "") -> Iterator[Found]:
    if type(theirs) is not type(ours):
        yield Found(path, "type", theirs, ours)
    elif isinstance(theirs, dict):
        yield from _of_objects(theirs, ours, path)
    elif isinstance(theirs, list):
        if len(theirs) != len(ours):
            yield Found(path, "length", len(theirs), len(ours))
        for at, (one, two) in enumerate(zip(theirs, ours, strict=False)):
            yield from differences(one, two, f"{path}[{at}]")
    elif theirs != ours:
        yield Found(path, "value", theirs, ours)


def _of_objects(theirs: dict[str, Any], ours: dict[str, Any], path: str) -> Iterator[Found]:
    yield from (Found(f"{path}.{key}", "missing", theirs[key]) for key in theirs.keys() - ours)
    yield from (Found(f"{path}.{key}", "extra", None, ours[key]) for key in ours.keys() - theirs)
    common = [key for key in theirs if key in ours]
    if common != [key for key in ours if key in theirs]:
        yield Found(path, "order", common, [key for key in ours if key in theirs])
    for key in common:
        yield from differences(theirs[key], ours[key], f"{path}.{key}")


NOT_TOLD = ["bitflags", "show_flags"]
"""Keys of `/queue` that are null here."""

_OF_17_11 = [
    "cluster_features",
    "fed_active_siblings",
    "fed_origin",
    "fed_viable_siblings",
    "gres",
    "mem_per_cpu",
    "min_memory_cpu",
    "pack_job_id",
    "pack_job_id_set",
    "pack_job_offset",
    "preempt_time",
]


def _any(names: list[str]) -> str:
    return f"({'|'.join(names)})"


_JOB = r"\.data\.\d+"
MEANT: tuple[tuple[str, str, str], ...] = (
    # route, path, kind
    ("queue", rf"{_JOB}\.{_any(NOT_TOLD)}", "type"),
    ("queue", rf"{_JOB}\.{_any([*_OF_17_11, 'array_task_throttle'])}", "extra"),
    ("queue", rf"{_JOB}\.(mem_per_cp|min_memory_cp)", "missing"),
    ("queue", rf"{_JOB}\.(max_nodes|tres_req_str)", "type"),
    ("queue", rf"{_JOB}\.(cpus_allocated|cpus_alloc_layout)\.n4", "missing"),
    ("queue", rf"{_JOB}\.billable_tres", "value"),
    ("nodes", r"\.data\.n\d\.energy\.(base_consumed_energy|consumed_energy|base_watts)", "extra"),
    ("nodes", r"\.data\.n\d\.energy\.previous_consumed_energy", "type"),
    ("nodes", r"\.data\.n\d\.gres_used", "length"),
    ("partitions", r"\.data\.[\w-]+\.(def|max)_mem_per_cp", "missing"),
    ("partitions", r"\.data\.[\w-]+\.(def|max)_mem_per_cpu", "extra"),
    ("partitions", r"\.data\.[\w-]+\.preempt_mode", "value"),
    ("partitions", r"\.data\.[\w-]+\.(resume_timeout|suspend_time|suspend_timout)", "type"),
    ("stats", r"\.data\.(schedule_cycle_sum|schedule_cycle_depth|bf_\w+_sum)", "value"),
    ("usage", r"\.data\.partitions\.high(\.nodes\.n\d\.mem_allocated|\.alloc_mem)", "value"),
)
"""Differences that docs/gateway-compatibility.md tells of."""


def is_meant(route: str, found: Found) -> bool:
    return any(
        route == where and kind == found.kind and re.fullmatch(path, found.path)
        for where, path, kind in MEANT
    )
