"""The real program as a plain Unix user, and where such a user has left files."""

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.e2e.program import Program

EVERYBODYS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - they are looked into, nothing is put there


@dataclass
class LesserProgram(Program):
    """Started by root, and no more than `user` from its first instruction."""

    user: str = ""

    def argv(self, *arguments: str) -> list[str]:
        return [*becoming(self.user, tuple(super().argv())), *super().argv(*arguments)]


@cache
def becoming(user: str, agent: tuple[str, ...]) -> tuple[str, ...]:
    """Return what to put before a command.

    Where the checkout or the interpreter lies in root's own home, the user is lent the right to
    read there: it may still write nothing, and to Slurm it is nobody else.
    """
    plain = ("setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups")
    if subprocess.run([*plain, *agent, "--version"], capture_output=True).returncode == 0:
        return plain
    reading = "+dac_read_search"
    return (*plain, f"--inh-caps={reading}", f"--ambient-caps={reading}")


def files_of(user: str) -> set[Path]:
    """All that the user owns where anybody may write."""
    found = subprocess.run(
        ["/usr/bin/find", *EVERYBODYS, "-xdev", "-user", user, "-print0"],
        capture_output=True,
        text=True,
    )
    return {Path(name) for name in found.stdout.split("\0") if name}
