"""What squeue prints, for tests: rows of cells, each with the call's mark behind it."""

from waldur_slurm.slurm.live.grammar.columns import QueueRow

PLAIN = QueueRow(
    id="7",
    number="7",
    submitted="1796014212",
    eligible="1796014212",
    start="1796014213",
    end="1796014273",
    considered="1796014213",
    elapsed="0:55",
    priority="4294901757",
    hosts="n[1-2]",
    batch_host="n1",
    stdout="/home/ann/slurm-7.out",
    stderr="/home/ann/slurm-7.out",
    command="/home/ann/run.sh",
    work_dir="/home/ann",
    comment="(null)",
    name="wrap",
    state="RUNNING",
    reason="None",
    exit="0:0",
    limit="1-00:01:00",
    uid="1000",
    gid="1000",
    user="ann",
    account="physics",
    partition="main",
    qos="normal",
    nice="-5",
    restarts="0",
    may_requeue="1",
    node_count="2",
    cpus="4",
    tasks="2",
    tres="cpu=4,mem=7.50G,node=2,billing=4,gres/gpu=1",
    tres_per_node="gres:gpu:1",
    requested_hosts="",
    scheduled_hosts="(null)",
    features="(null)",
    reservation="(null)",
    licenses="ansys:2",
    dependency="(null)",
    wckey="(null)",
    association="4",
    profile="NotSet",
)
HEADING = QueueRow._make(["JOBID", *["TITLE"] * (len(QueueRow._fields) - 1)])


def printed(mark: str, *rows: QueueRow, heading: bool = True) -> list[str]:
    """Return the lines of a listing."""
    told = (HEADING, *rows) if heading else rows
    text = "".join("".join(f"{cell}{mark}" for cell in row) + "\n" for row in told)
    return text.split("\n")[:-1]
