"""The columns of the queue: one table drives the command that asks and the parser that reads.

All are known to squeue 22.05, 24.11 and 26.05; one that is not known would be left out of every
row, with exit code 0. Pure.
"""

from typing import NamedTuple


class QueueRow(NamedTuple):
    """One job as squeue prints it; `SLURMS_NAMES` has Slurm's names of the columns.

    The first `OWN_COLUMNS` differ from job to job; all that follows them comes again and again.
    """

    id: str
    number: str
    submitted: str
    eligible: str
    start: str
    end: str
    considered: str
    elapsed: str
    priority: str
    hosts: str
    batch_host: str
    stdout: str
    stderr: str
    command: str
    work_dir: str
    comment: str
    name: str
    state: str
    reason: str
    exit: str
    limit: str
    uid: str
    gid: str
    user: str
    account: str
    partition: str
    qos: str
    nice: str
    restarts: str
    may_requeue: str
    node_count: str
    cpus: str
    tasks: str
    tres: str
    tres_per_node: str
    requested_hosts: str
    scheduled_hosts: str
    features: str
    reservation: str
    licenses: str
    dependency: str
    wckey: str
    association: str
    profile: str


OWN_COLUMNS = QueueRow._fields.index("state")

SLURMS_NAMES = QueueRow(
    id="JobArrayID",
    number="JobID",
    submitted="SubmitTime",
    eligible="EligibleTime",
    start="StartTime",
    end="EndTime",
    considered="LastSchedEval",
    elapsed="TimeUsed",
    priority="PriorityLong",
    hosts="NodeList",
    batch_host="BatchHost",
    stdout="StdOut",
    stderr="StdErr",
    command="Command",
    work_dir="WorkDir",
    comment="Comment",
    name="Name",
    state="State",
    reason="Reason",
    exit="exit_code",
    limit="TimeLimit",
    uid="UserID",
    gid="GroupID",
    user="UserName",
    account="Account",
    partition="Partition",
    qos="QOS",
    nice="Nice",
    restarts="RestartCnt",
    may_requeue="Requeue",
    node_count="NumNodes",
    cpus="NumCPUs",
    tasks="NumTasks",
    tres="tres-alloc",
    tres_per_node="tres-per-node",
    requested_hosts="ReqNodes",
    scheduled_hosts="SchedNodes",
    features="Feature",
    reservation="Reservation",
    licenses="Licenses",
    dependency="Dependency",
    wckey="WCKey",
    association="AssocID",
    profile="Profile",
)


class QosRow(NamedTuple):
    """`sacctmgr show qos`: the fields are Slurm's own names of the columns."""

    priority: str
    flags: str
    preempt: str
    maxwall: str
    grpjobs: str
    grpsubmit: str
    maxjobspu: str
    maxsubmitpu: str
    maxjobspa: str
    maxsubmitpa: str
    grptres: str
    grptresmins: str
    maxtres: str
    maxtrespernode: str
    maxtrespu: str
    maxtrespa: str
    name: str
    description: str
