"""A real Slurm with accounting, on demand, in one directory."""

from sandbox.slurm.errors import DeadlinePassed, MissingPrograms, SandboxError
from sandbox.slurm.options import ClusterOptions

__all__ = ["ClusterOptions", "DeadlinePassed", "MissingPrograms", "SandboxError"]
