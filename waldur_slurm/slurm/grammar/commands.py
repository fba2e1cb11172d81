"""What all commands of Slurm share, and one question to each daemon that is never refused. Pure."""

from collections.abc import Mapping

from waldur_slurm.processes.port import Argv

SLURM_TOOLS = frozenset({"sacctmgr", "sacct", "squeue", "scancel", "scontrol", "sdiag", "sreport"})

ENVIRONMENT: Mapping[str, str] = {
    "TZ": "UTC",
    "SLURM_TIME_FORMAT": "%s",
    "SLURM_BITSTR_LEN": "0",
    "INPUTRC": "/dev/null",
}
"""Times as seconds since the epoch, job arrays written out in full, and a sacctmgr that reads
commands takes every sign for itself, whatever keys somebody has bound."""

LISTING: Argv = ("sacctmgr", "--noheader", "--parsable", "show")


def show_clusters() -> Argv:
    """Ask the least that slurmdbd must answer."""
    return (*LISTING, "cluster", "format=cluster")


def ping_controller() -> Argv:
    return ("scontrol", "ping")
