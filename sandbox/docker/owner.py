"""Who started a container, so that those whose starter is gone can be told from the others.

Rule: only a process of this machine that is certainly gone counts as gone.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Owner:
    """A process: its number alone may be given again, with the time it started it may not."""

    machine: str
    boot: str
    pid: int
    started: str

    @classmethod
    def this_process(cls) -> Self:
        return cls.process(os.getpid())

    @classmethod
    def process(cls, pid: int) -> Self:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return cls(_machine(), boot, pid, _started(pid) or "")

    @classmethod
    def parse(cls, label: str) -> Self | None:
        words = label.split()
        if len(words) != 4 or not words[2].isdigit():
            return None
        return cls(words[0], words[1], int(words[2]), words[3])

    def __str__(self) -> str:
        return f"{self.machine} {self.boot} {self.pid} {self.started}"

    @property
    def is_gone(self) -> bool:
        here = self.this_process()
        if self.machine != here.machine:
            return False
        return self.boot != here.boot or _started(self.pid) != self.started


def _machine() -> str:
    """Return a name for where process numbers mean the same: the host and its PID namespace."""
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"


def _started(pid: int) -> str | None:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = after_name[0], after_name[19]
    return None if state == "Z" else started
