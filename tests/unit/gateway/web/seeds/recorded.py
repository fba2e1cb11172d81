"""The recorded exchanges, and a cluster and an accounting in the state they were recorded in."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.cluster import FakeCluster
from tests.fakes.past import FakeHistory
from tests.places import RECORDED
from waldur_slurm.model.batch import JobId, Task, job_id
from waldur_slurm.model.cluster import Node, Partition, Rpc, Statistics
from waldur_slurm.model.details import JobDetails, Record
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import ExitCode, LiveJob, NodeShare
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.past import Membership, PastRun
from waldur_slurm.model.tres import Tres, TresName
from waldur_slurm.slurm.grammar.values import parse_tres
from waldur_slurm.slurm.live.grammar.records import RecordReader
from waldur_slurm.slurm.live.grammar.things import parse_nodes, parse_partitions

WHEN = datetime(2026, 11, 30, 1, 39, 28, tzinfo=UTC)
_BASES = {"COMPLETE": "COMPLETED"}
"""Words of the original that are not Slurm's own."""


@dataclass(frozen=True)
class Exchange:
    case: str
    state: str
    path: str
    method: str
    headers: tuple[tuple[str, str], ...]
    response: Mapping[str, Any]

    @property
    def json(self) -> Any:
        return json.loads(self.response["body"])


def read_exchanges() -> list[Exchange]:
    lines = (RECORDED / "gateway" / "restapi.jsonl").read_text(encoding="utf-8").splitlines()
    bodies: dict[str, str] = {}
    found = []
    for line in map(json.loads, lines):
        response = dict(line["response"])
        response.setdefault("body", bodies.get(response.get("body_of", ""), ""))
        bodies[line["case"]] = response["body"]
        asked = line["request"]
        path = f"{asked['path']}?{asked['query']}" if asked["query"] else asked["path"]
        headers = tuple(asked["headers"].items())
        found.append(
            Exchange(line["case"], line["state"], path, asked["method"], headers, response)
        )
    return found


EXCHANGES = read_exchanges()


def recorded(case: str) -> Any:
    """What a case's body holds."""
    (found,) = (each for each in EXCHANGES if each.case == case)
    return found.json["data"]


@dataclass
class RecordedCluster(FakeCluster):
    """Jobs ask for and hold what is recorded, and statistics are those that were."""

    details: dict[Run, JobDetails] = field(default_factory=dict)
    statistics: Statistics | None = None

    def read_details(self, jobs: Iterable[LiveJob]) -> Mapping[Run, JobDetails]:
        told = super().read_details(jobs)
        return {run: self.details.get(run, details) for run, details in told.items()}

    def read_statistics(self) -> Statistics:
        self._called("read_statistics")
        assert self.statistics
        return self.statistics


def recorded_cluster(queue: str = "queue") -> RecordedCluster:
    """Make one whose jobs are those of the case `queue`."""
    cluster = RecordedCluster(
        configuration={"MinJobAge": "0 sec"},  # whatever time it is, no job is forgotten yet
        nodes={each["name"]: node_of(each) for each in recorded("nodes").values()},
        partitions=[partition_of(each) for each in recorded("partitions").values()],
        statistics=statistics_of(recorded("stats")),
    )
    for item in recorded(queue).values():
        job = cluster.put(job_of(item))
        cluster.details[job.run] = JobDetails(tuple(shares_of(item)), record_of(item))
    return cluster


def recorded_history() -> FakeHistory:
    """Runs as they were; the two that a hand changed for a line are made by that line's test."""
    history = FakeHistory(runs=[run_of(each) for each in recorded("history, limit 100")])
    history.memberships = tuple(
        Membership(
            each["id_assoc"], AccountName(each["acct"]), UserName(each["user"]), each["partition"]
        )
        for each in recorded("users")
    )
    return history


def job_of(item: Mapping[str, Any]) -> LiveJob:
    return LiveJob(
        id=_id_of(item),
        number=item["job_id"],
        state=JobState(item["job_state"]),
        reason="" if item["state_reason"] == "None" else item["state_reason"],
        exit=ExitCode(*map(int, item["exit_code"].split(":"))),
        submitted=_known(item["submit_time"]),
        eligible=_moment(item["eligible_time"]),
        start=_moment(item["start_time"]),
        end=_moment(item["end_time"]),
        considered=datetime.fromisoformat(item["last_sched_eval"]).replace(tzinfo=UTC),
        limit_s=60 * item["time_limit"],
        elapsed_s=item["run_time"],
        uid=item["user_id"],
        gid=item["group_id"],
        user=UserName(item["user_name"]),
        account=AccountName(item["account"]),
        partition=item["partition"],
        qos=item["qos"],
        priority=item["priority"],
        nice=item["nice"],
        restarts=item["restart_cnt"],
        may_requeue=item["requeue"],
        node_count=item["num_nodes"],
        cpus=item["num_cpus"],
        tasks=item["num_tasks"],
        tres=parse_tres(item["tres_alloc_str"] or item["tres_req_str"]),
        tres_per_node=item["tres_per_node"] or "",
        hosts=item["nodes"] or "",
        batch_host=item["batch_host"] or "",
        requested_hosts=",".join(item["req_nodes"]),
        scheduled_hosts=item["sched_nodes"] or "",
        features=",".join(item["features"]),
        reservation=item["resv_name"] or "",
        licenses="",
        dependency=item["dependency"] or "",
        wckey=item["wckey"] or "",
        association=item["assoc_id"],
        profile="NotSet",
        stdout=item["std_out"],
        stderr=item["std_err"],
        command=item["command"] or "",
        work_dir=item["work_dir"],
        comment=item["comment"] or "",
        name=item["name"],
    )


def _id_of(item: Mapping[str, Any]) -> JobId:
    if item["array_task_str"]:
        return job_id(f"{item['array_job_id']}_[{item['array_task_str']}]")
    if item["array_job_id"]:
        return JobId(item["array_job_id"], Task(item["array_task_id"]))
    return JobId(item["job_id"])


def shares_of(item: Mapping[str, Any]) -> Iterable[NodeShare]:
    for host, ids in item["cpus_alloc_layout"].items():
        each = item["min_memory_node"] or item["min_memory_cp"] * len(ids)
        yield NodeShare(host, ",".join(map(str, ids)), each, "")


def record_of(item: Mapping[str, Any]) -> Record:
    """Read it from a line as `scontrol show job` would have printed it."""
    by_cpu = item["mem_per_cp"]
    nodes = f"{item['num_nodes']}-{item['max_nodes']}" if item["max_nodes"] else item["num_nodes"]
    record = RecordReader().read(
        f"JobId={item['job_id']} JobName=x BatchFlag={item['batch_flag']} Reboot={item['reboot']}"
        f" DerivedExitCode={item['derived_ec']} TimeMin=N/A AccrueTime={_second(item)}"
        f" SuspendTime={item['suspend_time'] or 'None'}"
        f" AllocNode:Sid={item['alloc_node']}:{item['alloc_sid']} ExcNodeList=(null)"
        f" NumNodes={nodes} NumCPUs={item['num_cpus']} CPUs/Task={item['cpus_per_task']}"
        f" ReqB:S:C:T=0:0:*:* Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*"
        f" MinCPUsNode={item['pn_min_cpus']}"
        f" MinMemory{'CPU' if by_cpu else 'Node'}={item['pn_min_memory']}M MinTmpDiskNode=0"
        f" OverSubscribe={'NO' if item['shared'] == '0' else item['shared']} Contiguous=0"
        f" Network=(null) StdIn={item['std_in']} Power= ",
        item["array_max_tasks"],
    )
    assert record
    return record


def _second(item: Mapping[str, Any]) -> int:
    """Since when it gains priority by age; the server's zone was UTC."""
    told = item["accrue_time"]
    return 0 if told == "Unknown" else int(datetime.fromisoformat(f"{told}Z").timestamp())


def node_of(item: Mapping[str, Any]) -> Node:
    """Read it from a line as `scontrol show node` would have printed it."""
    reason = f" Reason={item['reason']} [root@{item['reason_time']}]" if item["reason"] else ""
    (node,) = parse_nodes(
        f"NodeName={item['name']} Arch={item['arch']} CoresPerSocket={item['cores_per_socket']}"
        f" CPUAlloc={item['alloc_cpus']} CPUTot={item['cpus']} CPULoad={item['cpu_load'] / 100}"
        f" AvailableFeatures=(null) ActiveFeatures=(null) Gres=(null)"
        f" NodeAddr={item['node_addr']} NodeHostName={item['node_hostname']}"
        f" Version={item['version']} OS={item['os']}  RealMemory={item['real_memory']}"
        f" AllocMem={item['alloc_mem']} FreeMem={item['free_mem']} Sockets={item['sockets']}"
        f" Boards={item['boards']} State={item['state']} ThreadsPerCore={item['threads']}"
        f" TmpDisk={item['tmp_disk']} Weight={item['weight']} Owner=N/A MCS_label=N/A"
        f" Partitions={','.join(item['partitions'])}  BootTime={item['boot_time']}"
        f" SlurmdStartTime={item['slurmd_start_time']} LastBusyTime={item['last_busy']}"
        f" CfgTRES={item['tres_fmt_str']} AllocTRES= CapWatts=n/a CurrentWatts=0 AveWatts=0"
        f"{reason}\n"
    )
    return node


def partition_of(item: Mapping[str, Any]) -> Partition:
    """Read it from a line as `scontrol show partition` would have printed it."""
    flags = {name: "YES" if value == 1 else "NO" for name, value in item["flags"].items()}
    (partition,) = parse_partitions(
        f"PartitionName={item['name']} AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL"
        f" AllocNodes=ALL Default={flags['Default']} QoS=N/A DefaultTime={item['default_time_str']}"
        f" DisableRootJobs=NO ExclusiveUser=NO GraceTime={item['grace_time']} Hidden=NO"
        f" MaxNodes={item['max_nodes']} MaxTime={item['max_time_str']} MinNodes=0 LLN=NO"
        f" MaxCPUsPerNode={item['max_cpus_per_node']} Nodes={item['nodes']}"
        f" PriorityJobFactor=1 PriorityTier={item['priority_tier']} RootOnly=NO ReqResv=NO"
        f" OverSubscribe=NO OverTimeLimit=NONE PreemptMode=OFF State={item['state']}"
        f" TotalCPUs={item['total_cpus']} TotalNodes={item['total_nodes']}"
        " SelectTypeParameters=NONE JobDefaults=(null) DefMemPerNode=UNLIMITED"
        f" MaxMemPerNode=UNLIMITED TRES={item['tres_fmt_str']}"
        f" TRESBillingWeights={item['billing_weights_str'] or '(null)'}\n"
    )
    return partition


def statistics_of(item: Mapping[str, Any]) -> Statistics:
    cycles, passes = item["schedule_cycle_counter"], item["bf_cycle_counter"]
    return Statistics(
        at=_known(item["req_time"]),
        since=_known(item["req_time_start"]),
        counters={
            "Server thread count": item["server_thread_count"],
            "Agent queue size": item["agent_queue_size"],
            **{f"Jobs {word}": item[f"jobs_{word}"] for word in ("pending", "running")},
            "Job states ts": item["job_states_ts"],
        },
        main_schedule={
            "Last cycle": item["schedule_cycle_last"],
            "Max cycle": item["schedule_cycle_max"],
            "Total cycles": cycles,
            "Mean cycle": item["schedule_cycle_sum"] // cycles,
            "Mean depth cycle": item["schedule_cycle_depth"] // cycles,
            "Last queue length": item["schedule_queue_len"],
        },
        backfill={
            "Total cycles": passes,
            "Last cycle when": item["bf_when_last_cycle"],
            "Last cycle": item["bf_cycle_last"],
            "Max cycle": item["bf_cycle_max"],
            "Mean cycle": item["bf_cycle_sum"] // passes,
            "Last depth cycle": item["bf_last_depth"],
            "Last depth cycle (try sched)": item["bf_last_depth_try"],
            "Depth Mean": item["bf_depth_sum"] // passes,
            "Depth Mean (try depth)": item["bf_depth_try_sum"] // passes,
            "Last queue length": item["bf_queue_len"],
            "Queue length mean": item["bf_queue_len_sum"] // passes,
        },
        by_message=_rpcs(item["rpc_type_stats"]),
        by_user=_rpcs(item["rpc_user_stats"]),
    )


def _rpcs(items: Mapping[str, Mapping[str, int]]) -> tuple[Rpc, ...]:
    return tuple(
        Rpc(name, each["id"], each["count"], each["ave_time"], each["total_time"])
        for name, each in items.items()
    )


def run_of(item: Mapping[str, Any]) -> PastRun:
    word = item["state"].removeprefix("JOB_")
    start, nodes = _spelled(item["time_start"]), item["nodes_alloc"]
    return PastRun(
        id=JobId(item["id_job"]),
        number=item["id_job"],
        uid=item["id_user"],
        priority=item["priority"],
        state=JobState(_BASES.get(word, word)),
        user=UserName(item["user_name"]),
        account=AccountName(item["account"]),
        association=item["id_assoc"],
        partition=item["partition"],
        qos="normal",
        submitted=_spelled(item["time_submit"]) or WHEN,
        eligible=None,
        start=start,
        end=_spelled(item["time_end"]),
        elapsed_s=0,
        limit_s=_limit_of(item["timelimit"]),
        exit=ExitCode(0, 0),
        node_count=nodes,
        cpus=item["cpus_req"],
        hosts="" if item["nodelist"] == "None assigned" else item["nodelist"],
        allocated={},
        requested=_requested(item),
        name=item["job_name"],
    )


def _requested(item: Mapping[str, Any]) -> Tres:
    """What sacct says of it: memory of the whole job, however it was asked for."""
    cpus, memory = item["cpus_req"], item["mem_req"]
    is_by_cpu = memory >= 2**63
    total = (memory - 2**63) * cpus if is_by_cpu else memory * max(item["nodes_alloc"], 1)
    return {TresName("cpu"): cpus, TresName("mem"): total}


def _limit_of(text: str) -> int | None:
    days, hours, minutes = (int(part[:-1]) for part in text.split(":"))
    whole = (days * 24 + hours) * 60 + minutes
    return None if whole > 2**31 else 60 * whole


def _spelled(text: str) -> datetime | None:
    return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC) if text else None


def _moment(second: int) -> datetime | None:
    return datetime.fromtimestamp(second, UTC) if second else None


def _known(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
