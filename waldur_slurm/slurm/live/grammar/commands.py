"""What is asked about now: one function an intent, each returning an argument vector. Pure."""

from collections.abc import Mapping

from waldur_slurm.model.batch import JobId, Tasks
from waldur_slurm.model.names import ClusterName
from waldur_slurm.processes.port import Argv
from waldur_slurm.slurm.grammar.commands import LISTING
from waldur_slurm.slurm.live.grammar.columns import SLURMS_NAMES, QosRow


def show_jobs(away: ClusterName | None) -> Argv:
    """All jobs in all states and partitions, with a heading, which an answer begins with."""
    return ("squeue", *_at(away), "--all", "--states=all")


def show_job(away: ClusterName | None, job: JobId) -> Argv:
    """One job with all its parts; of a single one slurmctld is asked for no others."""
    return (*show_jobs(away), f"--jobs={job.named}")


def jobs_format(mark: str) -> Mapping[str, str]:
    """Columns, each with `mark` behind it, by the environment: anybody can read an argv."""
    return {"SQUEUE_FORMAT2": ",".join(f"{name}:{mark}" for name in SLURMS_NAMES)}


def show_details(away: ClusterName | None) -> Argv:
    return ("scontrol", *_at(away), "--details", "--oneliner", "show", "job")


def obey_questions(away: ClusterName | None) -> Argv:
    """Answer what stdin asks; see `slurm.grammar.questions`."""
    return ("scontrol", *_at(away), "--details", "--oneliner")


def name_of_one(job: JobId) -> str:
    """Name a row of the queue; of tasks that wait together any one stands for all."""
    part = job.part
    return f"{job.number}_{next(part.numbers)}" if isinstance(part, Tasks) else str(job)


def show_nodes(away: ClusterName | None) -> Argv:
    return _show(away, "node")


def show_partitions(away: ClusterName | None) -> Argv:
    return _show(away, "partition")


def show_reservations(away: ClusterName | None) -> Argv:
    return _show(away, "reservation")


def show_licenses(away: ClusterName | None) -> Argv:
    return _show(away, "licenses")


def show_qos() -> Argv:
    return (*LISTING, "qos", f"format={','.join(QosRow._fields)}")


def show_statistics(away: ClusterName | None) -> Argv:
    return ("sdiag", *((f"--cluster={away}",) if away else ()))


def show_configuration(away: ClusterName | None) -> Argv:
    return ("scontrol", *_at(away), "show", "config")


def ping(away: ClusterName | None) -> Argv:
    return ("scontrol", *_at(away), "ping")


def show_version() -> Argv:
    return ("squeue", "--version")


def _show(away: ClusterName | None, what: str) -> Argv:
    return ("scontrol", *_at(away), "--all", "--oneliner", "show", what)


def _at(away: ClusterName | None) -> Argv:
    """Name a cluster that is not the local one; to find its slurmctld, slurmdbd is asked."""
    return (f"--clusters={away}",) if away else ()
