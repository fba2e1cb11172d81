"""One process for one state directory on one host.

The kernel holds the lock for as long as the process lives, so that it survives nothing, not even
SIGKILL; the file says who holds it and is never removed.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waldur_slurm.errors import AlreadyRunning, StateError

_LOOKS = 20
_BETWEEN_LOOKS_S = 0.05


@contextmanager
def only_one(state_dir: Path, work: str, advice: str) -> Iterator[None]:
    """Hold the lock, or raise `AlreadyRunning` at once, which says who does the `work` already."""
    path = state_dir / "lock"
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"cannot use the state directory: {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"process {_holder(file)} already {work} and holds {path}; {advice}"
            ) from None
        _sign(file, path)
        yield
    finally:
        os.close(file)


def _sign(file: int, path: Path) -> None:
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise StateError(f"cannot use the state directory: {path}: {error.strerror}") from error


def _holder(file: int) -> str:
    """Who holds the lock; right after it was taken, the file may still name who had it before."""
    number = ""
    for _ in range(_LOOKS):
        number = os.pread(file, 32, 0).decode("ascii", "replace").strip()
        if number.isdecimal() and Path("/proc", number).exists():
            break
        time.sleep(_BETWEEN_LOOKS_S)
    return number or "unknown"
