"""A real Slurm with accounting, on demand, in one directory."""

from sandbox.slurm.commands import Completed
from sandbox.slurm.errors import DeadlinePassed, MissingPrograms, SandboxError
from sandbox.slurm.options import ClusterOptions

__all__ = ["ClusterOptions", "Completed", "DeadlinePassed", "MissingPrograms", "SandboxError"]
