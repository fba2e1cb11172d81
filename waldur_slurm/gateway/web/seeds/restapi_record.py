"""What a job's own record tells, under PySlurm's names and in its words. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from waldur_slurm.gateway.web.seeds.restapi_words import (
    UNLIMITED,
    Zone,
    epoch,
    hosts_in_full,
    iso,
)
from waldur_slurm.model.details import Asked, MemoryOf, Record

_SHARED = {"NO": "0", "YES": "1", "USER": "USER"}
_POWER = {"": 0, "LEVEL": 1, None: None}
_PROFILES = {"None": 1, "Energy": 2, "Task": 4, "Lustre": 8, "Network": 16}
_ALL_PROFILES = 2 + 4 + 8 + 16
_EVERYTHING = 2**32 - 1

Told = Mapping[str, Any]
"""Fields of a `QueuedView`."""


def told_by_record(record: Record, *, waits: bool, zone: Zone) -> Told:
    asked = record.asked
    return {
        "accrue_time": iso(record.accrued, zone),
        "alloc_node": record.submit_host or None,
        "alloc_sid": record.session,
        "derived_ec": str(record.derived_exit),
        "het_job_id_set": record.components or None,
        "pack_job_id_set": record.components or None,
        "max_nodes": asked.max_nodes if waits else None,
        "preempt_time": record.preempted and iso(record.preempted, zone),
        "resize_time": epoch(record.resized),
        "std_in": record.stdin,
        "suspend_time": epoch(record.suspended),
        **_told_by(asked),
    }


@lru_cache(maxsize=4096)
def _told_by(asked: Asked) -> Told:
    """Most jobs are like others in what was asked for them."""
    return {**_what(asked), **_memory(asked), **_per(asked), **_tres(asked)}


def _what(asked: Asked) -> Told:
    return {
        "batch_flag": int(asked.is_batch),
        "batch_features": asked.batch_features or None,
        "burst_buffer": asked.burst_buffer or None,
        "cluster_features": asked.cluster_features or None,
        "contiguous": asked.is_contiguous,
        "core_spec": asked.specialized_cores,
        "cpus_per_task": "N/A" if asked.cpus_per_task is None else asked.cpus_per_task,
        "exc_nodes": hosts_in_full(asked.excluded_hosts),
        "max_cpus": asked.max_cpus,
        "network": asked.network or None,
        "pn_min_cpus": asked.min_cpus,
        "pn_min_tmp_disk": asked.min_disk_mib,
        "power_flags": _POWER.get(asked.power),
        "reboot": int(asked.reboots),
        "req_switch": asked.switches,
        "shared": _SHARED.get(asked.sharing, "OK"),
        "time_min": asked.min_limit_s // 60,
        "wait4switch": asked.switches_wait_s,
    }


def _memory(asked: Asked) -> Told:
    """Memory by GPU, say, is by neither."""
    by_cpu, by_node = (asked.memory_of is each for each in (MemoryOf.CPU, MemoryOf.NODE))
    return {
        "mem_per_cpu": by_cpu,
        "min_memory_cpu": asked.memory_mib if by_cpu else None,
        "mem_per_node": by_node,
        "min_memory_node": asked.memory_mib if by_node else None,
        "pn_min_memory": asked.memory_mib if by_cpu or by_node else None,
    }


def _per(asked: Asked) -> Told:
    tasks, layout = asked.tasks_per, asked.layout
    return {
        "boards_per_node": layout.boards_per_node,
        "cores_per_socket": layout.cores_per_socket,
        "ntasks_per_core": tasks.core,
        "ntasks_per_core_str": UNLIMITED if tasks.core is None else str(tasks.core),
        "ntasks_per_node": tasks.node,
        "ntasks_per_socket": tasks.socket,
        "ntasks_per_socket_str": UNLIMITED if tasks.socket is None else str(tasks.socket),
        "ntasks_per_board": tasks.board,
        "sockets_per_board": layout.sockets_per_board,
        "sockets_per_node": layout.sockets_per_node,
        "threads_per_core": layout.threads_per_core,
    }


def _tres(asked: Asked) -> Told:
    tres = asked.tres
    told = {
        "cpus_per_tres": tres.cpus_per_tres,
        "mem_per_tres": tres.memory_per_tres,
        "tres_bind": tres.bind,
        "tres_freq": tres.frequency,
        "tres_per_job": tres.per_job,
        "tres_per_socket": tres.per_socket,
        "tres_per_task": tres.per_task,
    }
    return {name: words or None for name, words in told.items()}


def profile_number(words: str) -> int | None:
    """Add up what is sampled; None where a word is not known."""
    if words == "NotSet":
        return 0
    if not _PROFILES.keys() >= {*words.split(",")}:
        return None
    total = sum(_PROFILES[word] for word in words.split(","))
    return _EVERYTHING if total == _ALL_PROFILES else total
