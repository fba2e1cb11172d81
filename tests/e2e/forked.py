"""Programs in processes of their own, forked from ones that have loaded them already.

What they do is the same, and so is how they end; what is saved is loading them, which is most of a
start.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGKILL
from typing import IO, Protocol

from tests.places import PROJECT

PACKAGES = {
    "waldur_slurm.main": "waldur_slurm.agent",
    "waldur_slurm.gateway": "waldur_slurm.gateway",
    "waldur_slurm.operator": "waldur_slurm.operator",
    "tests.e2e.gateway": "waldur_slurm.gateway",
    "tests.e2e.operator": "waldur_slurm.operator",
    "tests.e2e": "waldur_slurm.agent",
}
"""How the modules of programs begin, the longest first of those alike, and the package of each."""

_ALTER_A_START = ("LANG", "LC_", "LD_", "PYTHON")
"""How variables begin that count while Python starts, or before."""

_LOADING_S = 120.0


class Process(Protocol):
    """One that runs, or did: what `subprocess.Popen` has of it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


Start = Callable[[Sequence[str], Mapping[str, str], int, int], Process]


def start(argv: Sequence[str], environ: Mapping[str, str], out: int, err: int) -> "Process":
    """Start what this command would start: by forking it, where that makes no difference."""
    at = argv.index(sys.executable) if sys.executable in argv else -1
    module = argv[at + 2] if at >= 0 else ""
    package = next((PACKAGES[each] for each in PACKAGES if module.startswith(each)), None)
    if package is None or any(name.startswith(_ALTER_A_START) for name in environ):
        return start_anew(argv, environ, out, err)
    return _nursery(tuple(argv[:at]), package).fork(module, argv[at + 3 :], environ, out, err)


def start_anew(
    argv: Sequence[str], environ: Mapping[str, str], out: int, err: int
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=PROJECT, env=environ
    )


def run_to_its_end(
    argv: Sequence[str],
    environ: Mapping[str, str],
    timeout: float = 120.0,
    starts: Start = start,
) -> "subprocess.CompletedProcess[str]":
    """Run what this command would start, and hear all that it says."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = starts(argv, environ, out.fileno(), err.fileno())
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        said = [_read(stream) for stream in (out, err)]
    return subprocess.CompletedProcess(argv, code, *said)


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@dataclass
class Forked:
    """A child of a nursery's, which tells its number and its end."""

    told: socket.socket
    pid: int = field(init=False)
    returncode: int | None = None

    def __post_init__(self) -> None:
        self.pid = self._hear(_LOADING_S)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self.told], [], [], 0)[0]:
            self.returncode = self._hear(0)
            self.told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None and not select.select([self.told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended just now, and its nursery tells soon
                os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(SIGKILL)

    def _hear(self, timeout: float) -> int:
        self.told.settimeout(timeout or None)
        return int(self.told.recv(64))


@dataclass
class Nursery:
    process: "subprocess.Popen[bytes]"
    door: socket.socket

    def fork(
        self,
        module: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        out: int,
        err: int,
    ) -> Forked:
        told, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        asked = {"module": module, "arguments": [*arguments], "environ": dict(environ)}
        with telling:
            descriptors = [out, err, telling.fileno()]
            socket.send_fds(self.door, [json.dumps(asked).encode()], descriptors)
        return Forked(told)

    def close(self) -> None:
        self.door.close()
        self.process.wait()


_nurseries: dict[tuple[tuple[str, ...], str], Nursery] = {}
"""One for each way of coming to be, such as `setpriv`, and each package."""


def _nursery(becoming: tuple[str, ...], package: str) -> Nursery:
    key = (becoming, package)
    if key not in _nurseries or _nurseries[key].process.poll() is not None:
        _nurseries[key] = _open(becoming, package)
    return _nurseries[key]


def _open(becoming: tuple[str, ...], package: str) -> Nursery:
    door, its_door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its_door:
        number = its_door.fileno()
        process = subprocess.Popen(
            [*becoming, sys.executable, "-m", "tests.e2e.nursery", str(number), package],
            stdin=subprocess.DEVNULL,
            cwd=PROJECT,
            env={"PATH": os.defpath},
            pass_fds=[number],
            start_new_session=True,
        )
    return Nursery(process, door)


def close_nurseries() -> None:
    """End them, before the users go as whom they run."""
    while _nurseries:
        _nurseries.popitem()[1].close()
