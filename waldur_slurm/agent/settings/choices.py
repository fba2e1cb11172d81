"""The choices that some variables offer, as an operator writes them."""

from enum import StrEnum


class Direction(StrEnum):
    """Which way this process carries changes."""

    PULL = "pull"
    PUSH = "push"


class Deployment(StrEnum):
    """Where Slurm's commands run."""

    DOCKER = "docker"
    NATIVE = "native"
