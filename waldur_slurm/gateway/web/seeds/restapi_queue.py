"""`/queue`: jobs under the names that PySlurm 17.11 gave them, and those that it has since. Pure.

`null` stands for what Slurm's own tools do not tell, or not for certain. Of the two names of a
heterogeneous job, `pack_*` and `het_*`, both are there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.web.seeds.restapi_record import (
    profile_number,
    told_by_record,
)
from waldur_slurm.gateway.web.seeds.restapi_words import (
    UNLIMITED,
    Zone,
    clock,
    epoch,
    hosts_in_full,
    iso,
    parts,
    tres_in_words,
)
from waldur_slurm.model.batch import Component, Task, Tasks
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.job_state import Phase
from waldur_slurm.model.live import LiveJob, NodeShare
from waldur_slurm.model.tres import TresName

_BILLING = TresName("billing")


class QueuedView(msgspec.Struct, frozen=True, kw_only=True):
    """One job, in the order in which PySlurm has its names."""

    account: str | None
    accrue_time: str | None = None
    admin_comment: str | None = None
    alloc_node: str | None = None
    alloc_sid: int | None = None
    array_job_id: int | None
    array_task_id: int | None
    array_task_str: str | None
    array_task_throttle: int | None
    array_max_tasks: int | None
    assoc_id: int | None = None
    batch_flag: int | None = None
    batch_features: str | None = None
    batch_host: str | None
    billable_tres: float | None
    bitflags: int | None = None
    boards_per_node: int | None = None
    burst_buffer: str | None = None
    burst_buffer_state: str | None = None
    cluster_features: str | None = None
    command: str | None
    comment: str | None
    contiguous: bool | None = None
    core_spec: int | None = None
    cores_per_socket: int | None = None
    cpus_per_task: int | str | None = None
    cpus_per_tres: str | None = None
    cpu_freq_gov: int | None = None
    cpu_freq_max: int | None = None
    cpu_freq_min: int | None = None
    dependency: str | None
    derived_ec: str | None = None
    eligible_time: int
    end_time: int
    exc_nodes: Sequence[str] | None = None
    exit_code: str
    features: Sequence[str]
    fed_origin: str | None = None
    fed_viable_siblings: str | None = None
    fed_active_siblings: str | None = None
    gres: Sequence[str]
    group_id: int
    het_job_id: int | None
    het_job_id_set: str | None = None
    het_job_offset: int | None
    job_id: int
    job_state: str
    last_sched_eval: str
    licenses: Mapping[str, str]
    max_cpus: int | None = None
    max_nodes: int | None = None
    mem_per_tres: str | None = None
    name: str
    network: str | None = None
    nodes: str | None
    nice: int
    ntasks_per_core: int | None = None
    ntasks_per_core_str: str | None = None
    ntasks_per_node: int | None = None
    ntasks_per_socket: int | None = None
    ntasks_per_socket_str: str | None = None
    ntasks_per_board: int | None = None
    num_cpus: int
    num_nodes: int
    num_tasks: int | None
    pack_job_id: int | None
    pack_job_offset: int | None
    pack_job_id_set: str | None = None
    partition: str
    mem_per_cpu: bool | None = None
    min_memory_cpu: int | None = None
    mem_per_node: bool | None = None
    min_memory_node: int | None = None
    pn_min_memory: int | None = None
    pn_min_cpus: int | None = None
    pn_min_tmp_disk: int | None = None
    power_flags: int | None = None
    preempt_time: str | None = None
    priority: int
    profile: int | None = None
    qos: str | None
    reboot: int | None = None
    req_nodes: Sequence[str]
    req_switch: int | None = None
    requeue: bool
    resize_time: int | None = None
    restart_cnt: int
    resv_name: str | None
    run_time: int
    run_time_str: str
    sched_nodes: str | None
    selinux_context: str | None = None
    shared: str | None = None
    show_flags: int | None = None
    sockets_per_board: int | None = None
    sockets_per_node: int | None = None
    start_time: int
    state_reason: str
    std_err: str | None
    std_in: str | None = None
    std_out: str | None
    submit_time: int
    suspend_time: int | None = None
    system_comment: str | None = None
    time_limit: int | str
    time_limit_str: str
    time_min: int | None = None
    threads_per_core: int | None = None
    tres_alloc_str: str | None
    tres_bind: str | None = None
    tres_freq: str | None = None
    tres_per_job: str | None = None
    tres_per_node: str | None
    tres_per_socket: str | None = None
    tres_per_task: str | None = None
    tres_req_str: str | None
    user_id: int
    wait4switch: int | None = None
    wckey: str | None
    work_dir: str | None
    cpus_allocated: Mapping[str, int] | None
    cpus_alloc_layout: Mapping[str, Sequence[int]] | None
    user_name: str


def queued_view(job: LiveJob, details: JobDetails | None, zone: Zone = None) -> QueuedView:
    part = job.id.part
    is_of_array, is_component = isinstance(part, Task | Tasks), isinstance(part, Component)
    waits = job.state.phase is Phase.PENDING
    layout = _layout(job, details.shares if details else None)
    record = details.record if details else None
    at_once = part.at_once if isinstance(part, Tasks) else record and record.at_once
    return QueuedView(
        **({} if record is None else told_by_record(record, waits=waits, zone=zone)),
        account=job.account or None,
        array_job_id=job.id.number if is_of_array else None,
        array_task_id=part.number if isinstance(part, Task) else None,
        array_task_str=str(part)[2:-1] if isinstance(part, Tasks) else None,
        array_task_throttle=at_once,
        array_max_tasks=at_once,
        assoc_id=job.association,
        batch_host=job.batch_host or None,
        billable_tres=_billing(job),
        command=job.command or None,
        comment=job.comment or None,
        dependency=job.dependency or None,
        eligible_time=epoch(job.eligible),
        end_time=epoch(job.end),
        exit_code=str(job.exit),
        features=parts(job.features),
        gres=parts(job.tres_per_node),
        group_id=job.gid,
        het_job_id=job.id.number if is_component else None,
        het_job_offset=part.offset if isinstance(part, Component) else None,
        job_id=job.number,
        job_state=job.state.base,
        last_sched_eval=iso(job.considered, zone),
        licenses=_licenses(job.licenses),
        name=job.name,
        nodes=job.hosts or None,
        nice=job.nice,
        num_cpus=job.cpus,
        num_nodes=job.node_count,
        num_tasks=job.tasks,
        pack_job_id=job.id.number if is_component else None,
        pack_job_offset=part.offset if isinstance(part, Component) else None,
        partition=job.partition,
        priority=job.priority,
        profile=profile_number(job.profile),
        qos=job.qos or None,
        req_nodes=hosts_in_full(job.requested_hosts),
        requeue=job.may_requeue,
        restart_cnt=job.restarts,
        resv_name=job.reservation or None,
        run_time=job.elapsed_s,
        run_time_str=clock(job.elapsed_s),
        sched_nodes=job.scheduled_hosts or None,
        start_time=epoch(job.start),
        state_reason=job.reason or "None",
        std_err=job.stderr or None,
        std_out=job.stdout or None,
        submit_time=epoch(job.submitted),
        time_limit=UNLIMITED if job.limit_s is None else job.limit_s // 60,
        time_limit_str=UNLIMITED if job.limit_s is None else clock(job.limit_s),
        tres_alloc_str=None if waits else tres_in_words(job.tres),
        tres_per_node=job.tres_per_node or None,
        tres_req_str=tres_in_words(job.tres) if waits else record and record.asked.requested,
        user_id=job.uid,
        wckey=job.wckey or None,
        work_dir=job.work_dir or None,
        cpus_allocated=None if layout is None else {at: len(ids) for at, ids in layout.items()},
        cpus_alloc_layout=layout,
        user_name=job.user,
    )


def encode_queue(
    jobs: Iterable[LiveJob],
    details_of: Callable[[LiveJob], JobDetails | None],
    zone: Zone = None,
) -> Iterable[bytes]:
    """Write a JSON object of jobs by their numbers, bit by bit."""
    encode = msgspec.json.Encoder().encode
    before = b"{"
    for job in jobs:
        yield before + b'"%d":' % job.number + encode(queued_view(job, details_of(job), zone))
        before = b","
    yield b"}" if before == b"," else b"{}"


def _layout(job: LiveJob, shares: Sequence[NodeShare] | None) -> Mapping[str, Sequence[int]] | None:
    """Tell which CPUs it has on which node; None where that is not certain."""
    if not job.hosts or job.state.phase in (Phase.PENDING, Phase.FINISHED):
        return {}
    if shares is None:
        return None
    try:
        return {
            host: [*share.cpu_numbers] for share in shares for host in expand_hosts(share.hosts)
        }
    except InvalidName:
        return None


def _billing(job: LiveJob) -> float | None:
    billing = job.tres.get(_BILLING)
    return None if billing is None else float(billing)


def _licenses(text: str) -> Mapping[str, str]:
    pairs = (item.partition(":") for item in parts(text))
    return {name: count or "1" for name, _, count in pairs}
