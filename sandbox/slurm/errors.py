"""What can go wrong in the sandbox; every message says what to look at or what to change."""

from pathlib import Path

TAIL_LINES = 15


class SandboxError(Exception):
    """The sandbox cannot do what was asked."""


class MissingPrograms(SandboxError):
    """This machine lacks programs that a private Slurm is made of."""

    def __init__(self, programs: list[str]) -> None:
        super().__init__(
            f"not installed: {', '.join(programs)}. On Debian or Ubuntu: apt-get install "
            "slurmctld slurmdbd slurmd slurm-client munge mariadb-server libfaketime gcc libc6-dev"
        )


class DeadlinePassed(SandboxError):
    """Something did not happen in time."""


class NoKeeper(SandboxError):
    """The process that keeps a cluster's daemons does not answer, or not any more."""


def with_tails(message: str, logs: list[Path]) -> str:
    """Return the message followed by the last lines of each log that says anything."""
    parts = [message]
    for log in logs:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        if lines:
            parts += [f"--- last lines of {log}", *lines[-TAIL_LINES:]]
    return "\n".join(parts)
