"""`/nodes`, `/partitions` and `/stats`: Slurm's own words under PySlurm's names. Pure.

What `scontrol` and `sdiag` of a release do not print is null.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from waldur_slurm.gateway.web.seeds.restapi_words import (
    UNLIMITED,
    clock,
    epoch,
    number,
    number_or_word,
    parts,
    word,
)
from waldur_slurm.model.cluster import Node, Partition, Rpc, Statistics, Words

UidOf = Callable[[str], int | None]
"""The uid of a user of this machine; None where it is not known."""


def nodes_view(nodes: Iterable[Node], uid_of: UidOf) -> Mapping[str, Mapping[str, object]]:
    return {node.name: _node(node, uid_of) for node in nodes}


def _node(node: Node, uid_of: UidOf) -> Mapping[str, object]:
    words = node.words
    return {
        "arch": word(words.get("Arch", "")),
        "boards": number(words.get("Boards", "")),
        "boot_time": epoch(node.booted),
        "cores": number(words.get("CoresPerSocket", "")),
        "core_spec_cnt": number(words.get("CoreSpecCount", "0")),
        "cores_per_socket": number(words.get("CoresPerSocket", "")),
        "cpus": node.cpus,
        "cpu_load": None if node.load is None else round(node.load * 100),
        "cpu_spec_list": parts(words.get("CPUSpecList", "")),
        "extra": word(words.get("Extra", "")),
        "features": list(node.features),
        "features_active": list(node.active_features),
        "free_mem": node.free_memory_mib,
        "gres": parts(node.gres),
        "gres_drain": words.get("GresDrain", "N/A"),
        "gres_used": _gres_used(node),
        "last_busy": number(words.get("LastBusyTime", "")),
        "mcs_label": word(words.get("MCS_label", "")),
        "mem_spec_limit": number(words.get("MemSpecLimit", "0")),
        "name": node.name,
        "node_addr": word(words.get("NodeAddr", "")),
        "node_hostname": word(words.get("NodeHostName", "")),
        "os": word(words.get("OS", "")),
        "owner": word(words.get("Owner", "")),
        "partitions": list(node.partitions),
        "real_memory": node.memory_mib,
        "slurmd_start_time": epoch(node.slurmd_started),
        "sockets": number(words.get("Sockets", "")),
        "threads": number(words.get("ThreadsPerCore", "")),
        "tmp_disk": number(words.get("TmpDisk", "")),
        "weight": number(words.get("Weight", "")),
        "tres_fmt_str": word(words.get("CfgTRES", "")),
        "version": node.version or None,
        **_reason(node, uid_of),
        "power_mgmt": {"cap_watts": number(words.get("CapWatts", ""))},
        "energy": _energy(words),
        "alloc_cpus": node.allocated_cpus,
        "err_cpus": 0,
        "state": words.get("State", str(node.state)),
        "alloc_mem": node.allocated_memory_mib,
    }


def _reason(node: Node, uid_of: UidOf) -> Mapping[str, object]:
    why = node.why
    return {
        "reason": why.text if why else None,
        "reason_time": epoch(why.since) if why else None,
        "reason_uid": uid_of(why.by) if why else 0,
    }


def _energy(words: Words) -> Mapping[str, int | None]:
    """Watts come with the node; what it has used in all does not."""
    return {
        "current_watts": number(words.get("CurrentWatts", "")),
        "ave_watts": number(words.get("AveWatts", "")),
        "base_consumed_energy": None,
        "consumed_energy": None,
        "base_watts": None,
        "previous_consumed_energy": None,
    }


def _gres_used(node: Node) -> Sequence[str]:
    """Tell how many of each kind that the node has are allocated."""
    kinds = dict.fromkeys(item.partition(":")[0] for item in parts(node.gres))
    used = {str(name): amount for name, amount in node.allocated_tres.items()}
    return [f"{kind}:{used.get(f'gres/{kind}', 0)}" for kind in kinds]


def partitions_view(partitions: Iterable[Partition]) -> Mapping[str, Mapping[str, object]]:
    return {partition.name: _partition(partition) for partition in partitions}


def _partition(partition: Partition) -> Mapping[str, object]:
    words = partition.words
    return {
        "allow_accounts": _all_or(partition.allowed_accounts),
        "deny_accounts": list(partition.denied_accounts) or None,
        "allow_alloc_nodes": words.get("AllocNodes", "ALL"),
        "allow_groups": _all_or(partition.allowed_groups),
        "allow_qos": _all_or(partition.allowed_qos),
        "deny_qos": list(partition.denied_qos) or None,
        "alternate": word(words.get("Alternate", "")),
        "billing_weights_str": word(words.get("TRESBillingWeights", "")),
        "cr_type": _cr_type(words),
        "def_mem_per_cpu": number(words.get("DefMemPerCPU", "")),
        "def_mem_per_node": number_or_word(words.get("DefMemPerNode", "")),
        "default_time": _span(partition.default_time_s, words.get("DefaultTime", "NONE")),
        "default_time_str": words.get("DefaultTime", "NONE"),
        "flags": _flags(partition),
        "grace_time": number(words.get("GraceTime", "")),
        "max_cpus_per_node": number_or_word(words.get("MaxCPUsPerNode", "")),
        "max_mem_per_cpu": number(words.get("MaxMemPerCPU", "")),
        "max_mem_per_node": number_or_word(words.get("MaxMemPerNode", "")),
        "max_nodes": UNLIMITED if partition.max_nodes is None else partition.max_nodes,
        "max_share": _max_share(words.get("OverSubscribe", "NO")),
        "max_time": _span(partition.max_time_s, UNLIMITED),
        "max_time_str": UNLIMITED if partition.max_time_s is None else clock(partition.max_time_s),
        "min_nodes": partition.min_nodes,
        "name": partition.name,
        "nodes": partition.hosts or None,
        "over_time_limit": number_or_word(words.get("OverTimeLimit", "")) or "NONE",
        "preempt_mode": words.get("PreemptMode"),
        "priority_job_factor": number(words.get("PriorityJobFactor", "")),
        "priority_tier": partition.priority_tier,
        "qos_char": partition.qos or None,
        "resume_timeout": number_or_word(words.get("ResumeTimeout", "")),
        "state": partition.state,
        "suspend_time": number_or_word(words.get("SuspendTime", "")),
        "suspend_timout": number_or_word(words.get("SuspendTimeout", "")),
        "total_cpus": partition.cpus,
        "total_nodes": partition.node_count,
        "tres_fmt_str": word(words.get("TRES", "")),
    }


def _flags(partition: Partition) -> Mapping[str, int | str]:
    words = partition.words
    return {
        "Default": int(partition.is_default),
        "Hidden": int(partition.is_hidden),
        "DisableRootJobs": _yes(words, "DisableRootJobs"),
        "RootOnly": _yes(words, "RootOnly"),
        "Shared": words.get("OverSubscribe", "NO"),
        "LLN": _yes(words, "LLN"),
        "ExclusiveUser": _yes(words, "ExclusiveUser"),
    }


def _all_or(names: tuple[str, ...] | None) -> Sequence[str] | str:
    return "ALL" if names is None else list(names)


def _span(seconds: int | None, otherwise: str) -> int | str:
    return otherwise if seconds is None else seconds


def _yes(words: Words, name: str) -> int:
    return int(words.get(name, "NO") == "YES")


def _cr_type(words: Words) -> int | None:
    """0 where the partition has no choice of its own; the number of another is not printed."""
    return 0 if words.get("SelectTypeParameters", "NONE") == "NONE" else None


def _max_share(text: str) -> int | None:
    """How many may share a resource: `FORCE:4`, `YES:4`, 0 alone, 1 nobody."""
    kind, _, count = text.partition(":")
    if count:
        return number(count)
    return {"NO": 1, "EXCLUSIVE": 0}.get(kind)


_PLACES: Mapping[str, tuple[str, str]] = {
    "server_thread_count": ("counters", "Server thread count"),
    "agent_queue_size": ("counters", "Agent queue size"),
    "schedule_cycle_max": ("main", "Max cycle"),
    "schedule_cycle_last": ("main", "Last cycle"),
    "schedule_cycle_sum": ("main", ""),
    "schedule_cycle_counter": ("main", "Total cycles"),
    "schedule_cycle_depth": ("main", ""),
    "schedule_queue_len": ("main", "Last queue length"),
    "jobs_submitted": ("counters", "Jobs submitted"),
    "jobs_started": ("counters", "Jobs started"),
    "jobs_completed": ("counters", "Jobs completed"),
    "jobs_canceled": ("counters", "Jobs canceled"),
    "jobs_failed": ("counters", "Jobs failed"),
    "jobs_pending": ("counters", "Jobs pending"),
    "jobs_running": ("counters", "Jobs running"),
    "job_states_ts": ("counters", "Job states ts"),
    "bf_backfilled_jobs": ("backfill", "Total backfilled jobs (since last slurm start)"),
    "bf_last_backfilled_jobs": (
        "backfill",
        "Total backfilled jobs (since last stats cycle start)",
    ),
    "bf_cycle_counter": ("backfill", "Total cycles"),
    "bf_cycle_sum": ("backfill", ""),
    "bf_cycle_last": ("backfill", "Last cycle"),
    "bf_cycle_max": ("backfill", "Max cycle"),
    "bf_last_depth": ("backfill", "Last depth cycle"),
    "bf_last_depth_try": ("backfill", "Last depth cycle (try sched)"),
    "bf_depth_sum": ("backfill", ""),
    "bf_depth_try_sum": ("backfill", ""),
    "bf_queue_len": ("backfill", "Last queue length"),
    "bf_queue_len_sum": ("backfill", ""),
    "bf_when_last_cycle": ("backfill", "Last cycle when"),
}
"""Where sdiag tells each number: in which section, under which of its names."""

_SUMS = {
    "schedule_cycle_sum": ("main", "Mean cycle", "Total cycles"),
    "schedule_cycle_depth": ("main", "Mean depth cycle", "Total cycles"),
    "bf_cycle_sum": ("backfill", "Mean cycle", "Total cycles"),
    "bf_depth_sum": ("backfill", "Depth Mean", "Total cycles"),
    "bf_depth_try_sum": ("backfill", "Depth Mean (try depth)", "Total cycles"),
    "bf_queue_len_sum": ("backfill", "Queue length mean", "Total cycles"),
}
"""What sdiag prints as a mean only: the sum is the mean times the number of cycles, about."""


def statistics_view(statistics: Statistics) -> Mapping[str, object]:
    sections = {
        "counters": statistics.counters,
        "main": statistics.main_schedule,
        "backfill": statistics.backfill,
    }
    told = {name: sections[section].get(label, 0) for name, (section, label) in _PLACES.items()}
    sums = {
        name: sections[section].get(mean, 0) * sections[section].get(count, 0)
        for name, (section, mean, count) in _SUMS.items()
    }
    return {
        "parts_packed": 1,
        "req_time": epoch(statistics.at),
        "req_time_start": epoch(statistics.since),
        **told,
        **sums,
        "bf_active": 0,
        "rpc_type_stats": _rpcs(statistics.by_message),
        "rpc_user_stats": _rpcs(statistics.by_user),
    }


def _rpcs(counted: Iterable[Rpc]) -> Mapping[str, Mapping[str, int]]:
    return {
        rpc.name: {
            "id": rpc.number,
            "count": rpc.count,
            "ave_time": rpc.average_us,
            "total_time": rpc.total_us,
        }
        for rpc in counted
    }
