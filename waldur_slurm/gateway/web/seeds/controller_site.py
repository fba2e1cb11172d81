"""What only slurm-controller's routes know. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Controller:
    """`folder` is where it was started: jobs run there, and paths begin there."""

    folder: str
