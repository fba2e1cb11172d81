"""Details of jobs, as a Slurm of 22.05 has them of one that asks for nothing in particular."""

from typing import Any

from waldur_slurm.model.details import (
    Asked,
    JobDetails,
    Layout,
    MemoryOf,
    Record,
    TasksPer,
    TresAsked,
)
from waldur_slurm.model.live import ExitCode, NodeShare

NO_TRES = TresAsked("", "", "", "", "", "", "")


def asked(**changes: Any) -> Asked:
    """Make a batch job's that asks for one CPU and 10 MiB a node; `changes` are fields."""
    made = Asked(
        is_batch=True,
        memory_mib=10,
        memory_of=MemoryOf.NODE,
        min_cpus=1,
        min_disk_mib=0,
        cpus_per_task=1,
        max_cpus=0,
        max_nodes=0,
        layout=Layout(0, 0, None, None, None),
        tasks_per=TasksPer(0, 0, None, None),
        specialized_cores=None,
        min_limit_s=0,
        excluded_hosts="",
        is_contiguous=False,
        reboots=False,
        sharing="OK",
        switches=0,
        switches_wait_s=0,
        power="",
        network="",
        batch_features="",
        cluster_features="",
        burst_buffer="",
        requested=None,
        tres=NO_TRES,
    )
    return made._replace(**changes)


def job_record(**changes: Any) -> Record:
    made = Record(
        asked=asked(),
        components="",
        at_once=None,
        submit_host="localhost",
        session=4711,
        stdin="/dev/null",
        derived_exit=ExitCode(0, 0),
        accrued=None,
        suspended=None,
        resized=None,
        preempted=None,
    )
    return made._replace(**changes)


def holding(*shares: NodeShare) -> JobDetails:
    """Tell what is held, and nothing else in particular."""
    return JobDetails(shares, job_record())
