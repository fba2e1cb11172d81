"""One process for one state directory on one host.

The kernel holds the lock for as long as the process lives, so that it survives nothing, not even
SIGKILL; the file says who holds it and is never removed.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from waldur_slurm.errors import ExpectedError, StateError

_LOOKS = 20
_BETWEEN_LOOKS_S = 0.05
_LONGEST_SIGNATURE = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as it signed for it; what it did not say is empty."""

    process: str = ""
    host: str = ""
    since: str = ""
    work: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        elsewhere = f" on {self.host}" if self.host and self.host != _this_host() else ""
        return f"process {self.process or 'unknown'}{elsewhere}"

    @property
    def may_live(self) -> bool:
        """Processes of another host cannot be seen from here."""
        is_here = self.host in ("", _this_host())
        is_number = self.process.isdecimal()
        return is_number and (not is_here or Path("/proc", self.process).exists())


@contextmanager
def only_one(
    state_dir: Path,
    work: Mapping[str, str],
    refusal: Callable[[Holder], ExpectedError],
    *,
    must_sign: bool = True,
) -> Iterator[None]:
    """Hold the lock and sign for this `work`, or raise at once what `refusal` makes of its holder.

    Whatever `work` says is there for who comes second to read. Without `must_sign` a disk that
    takes no signature is borne: the lock holds all the same.
    """
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
            raise refusal(_holder(file)) from None
        try:
            _sign(file, path, work)
        except StateError:
            if must_sign:
                raise
        yield
    finally:
        os.close(file)


def _sign(file: int, path: Path, work: Mapping[str, str]) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    said = {"process": str(os.getpid()), "host": _this_host(), "since": since, "work": {**work}}
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, f"{json.dumps(said)}\n".encode(), 0)
    except OSError as error:
        raise StateError(f"cannot use the state directory: {path}: {error.strerror}") from error


def _holder(file: int) -> Holder:
    """Who holds the lock; right after it was taken, the file may still name who had it before."""
    holder = Holder()
    for _ in range(_LOOKS):
        holder = _signature(os.pread(file, _LONGEST_SIGNATURE, 0))
        if holder.may_live:
            break
        time.sleep(_BETWEEN_LOOKS_S)
    return holder


def _signature(text: bytes) -> Holder:
    """A number alone is what earlier versions wrote; anything else names nobody."""
    try:
        said = json.loads(text)
        if isinstance(said, int):
            return Holder(str(said))
        work = {str(name): str(value) for name, value in said["work"].items()}
        return Holder(str(said["process"]), str(said["host"]), str(said["since"]), work)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Holder()


def _this_host() -> str:
    return os.uname().nodename
