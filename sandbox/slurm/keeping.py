"""The owner's side of the keeper: launch it, ask it. Every wait has a deadline."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from sandbox.slurm.errors import DeadlinePassed, NoKeeper, SandboxError, with_tails

ROOT = Path(__file__).resolve().parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ANSWER_DEADLINE = 10.0
END_DEADLINE = 15.0
PAUSE = 0.01


class Keeper:
    """One cluster's keeper, running or not, known by its control socket."""

    def __init__(self, control: Path, log: Path) -> None:
        self._control = control
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None

    def launch(
        self, lifetime: float, hold: Sequence[int], *, owned: bool, remove: Sequence[Path] = ()
    ) -> None:
        """Start it; an owned one ends as soon as this process is gone, however it goes.

        What it removes at its end are trees of directories, such as control groups.
        """
        self._control.unlink(missing_ok=True)
        read_end, self._pipe = os.pipe()
        with (
            socket.socket(socket.AF_UNIX) as listener,
            os.fdopen(read_end) as stdin,
            self._log.open("ab") as log,
        ):
            listener.bind(str(self._control))
            self._control.chmod(0o600)
            listener.listen(16)
            inherited = (listener.fileno(), *hold)
            argv = [sys.executable, "-m", "sandbox.slurm.keeper"]
            argv += ["--listener", str(listener.fileno()), "--lifetime", str(lifetime)]
            argv += ["--owned"] if owned else []
            argv += ["--hold", *map(str, hold), "--remove", *map(str, remove)]
            self._process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env={"PATH": PATH, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=stdin,
                stdout=log,
                stderr=log,
                pass_fds=inherited,
                start_new_session=True,
            )

    def ask(self, verb: str, **fields: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_DEADLINE)
            try:
                connection.connect(str(self._control))
                stream = connection.makefile("rw")
                stream.write(json.dumps({"verb": verb, **fields}) + "\n")
                stream.flush()
                line = stream.readline()
            except OSError as error:
                raise NoKeeper(
                    with_tails(f"the keeper does not answer: {error}", [self._log])
                ) from error
        if not line:
            raise NoKeeper(with_tails("the keeper ended", [self._log]))
        answer = json.loads(line)
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer["answer"]

    def states(self) -> dict[str, str]:
        """Return "up", "frozen" or how it ended, for each daemon that was ever started."""
        return {name: row["state"] for name, row in self.ask("report").items()}

    def pids(self) -> dict[str, int]:
        """Return the process of each daemon that lives."""
        rows = self.ask("report").items()
        return {name: row["pid"] for name, row in rows if row["state"] in ("up", "frozen")}

    def end(self, is_gone: Callable[[], bool]) -> None:
        """End the keeper and everything it keeps; return when nothing of it is left."""
        with suppress(SandboxError):
            self.ask("quit")
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._process is not None:
            self._process.wait(END_DEADLINE)
        wait_until(is_gone, END_DEADLINE, "the keeper did not end", [self._log])
        self._control.unlink(missing_ok=True)


def wait_until(
    happened: Callable[[], bool],
    seconds: float,
    otherwise: str,
    logs: Sequence[Path] = (),
    pause_s: float = PAUSE,
) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() >= deadline:
            raise DeadlinePassed(with_tails(f"{otherwise} within {seconds:g} s", list(logs)))
        time.sleep(pause_s)


@contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Hold the lock on that file; whoever dies inside lets go of it."""
    with file.open("a") as opened:
        wait_until(lambda: try_lock(opened), seconds, f"{file} was not free")
        yield


def try_lock(opened: IO[str]) -> bool:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(file: Path) -> bool:
    """Say whether anybody alive holds the lock."""
    if not file.exists():
        return False
    with file.open("a") as opened:
        return not try_lock(opened)
