"""The choices that some variables offer, as an operator writes them, and where the units write."""

from enum import StrEnum
from pathlib import Path

STATE = Path("/var/lib/waldur-slurm-agent")
LOGS = Path("/var/log/waldur-slurm-agent")
"""Directories that the units of systemd-conf/ make when a service starts."""


class Direction(StrEnum):
    """Which way this process carries changes."""

    PULL = "pull"
    PUSH = "push"


class Deployment(StrEnum):
    """Where Slurm's commands run."""

    DOCKER = "docker"
    NATIVE = "native"
