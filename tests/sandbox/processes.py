"""What is left of a cluster on this machine, as the kernel tells it."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LISTENING = "0A"


def processes_of(directory: Path) -> list[str]:
    """Return every process that was started for this cluster: daemons, job steps, jobs, keepers.

    Daemons and what they start carry the cluster's SLURM_CONF; the keeper writes to its log.
    """
    mark = f"{directory}/".encode()
    return sorted(_name(pid) for pid in _pids() if _mentions(pid, mark))


def keeper_pids(directory: Path) -> list[int]:
    """Return the guard and its child, the supervisor."""
    log = str(directory / "log" / "keeper.out")
    kept = [pid for pid in _pids() if _open_file(pid, 2) == log]
    return sorted(kept, key=_age, reverse=True)


def listening_addresses(pid: int) -> set[str]:
    """Return the addresses of the TCP sockets that a process listens on, as /proc writes them."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def lives(pid: int) -> bool:
    """Say whether the process is there and not merely waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def eventually(happened: Callable[[], bool], seconds: float, pause_s: float = 0.02) -> bool:
    """Let the pause be longer where the question costs something and a moment can be missed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(pause_s)
    return happened()


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def _mentions(pid: int, mark: bytes) -> bool:
    if pid == os.getpid():
        return False
    try:
        place = Path(f"/proc/{pid}")
        return mark in (place / "environ").read_bytes() or mark in os.fsencode(_open_file(pid, 2))
    except OSError:  # it ended meanwhile, or is none of ours
        return False


def _open_file(pid: int, descriptor: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/fd/{descriptor}").readlink())
    except OSError:  # it ended meanwhile, or is none of ours
        return ""


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it ended meanwhile, or is none of ours
        return "ended"


def _age(pid: int) -> int:
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return -int(started)
