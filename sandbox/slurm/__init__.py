"""A real Slurm with accounting, on demand, in one directory."""

from sandbox.slurm.cluster import Cluster
from sandbox.slurm.commands import Completed
from sandbox.slurm.errors import DeadlinePassed, MissingPrograms, SandboxError
from sandbox.slurm.options import ClusterOptions

__all__ = [
    "Cluster",
    "ClusterOptions",
    "Completed",
    "DeadlinePassed",
    "MissingPrograms",
    "SandboxError",
]
