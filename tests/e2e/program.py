"""The real program in a process of its own, against one Slurm and one Waldur."""

import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.forked import Process, Start, run_to_its_end, start, start_anew

TOOLS = ("sacct", "sacctmgr", "scancel", "scontrol", "sdiag", "sinfo", "squeue", "sreport")


@dataclass
class Program:
    """How the agent is started: its environment, and what it said."""

    environ: dict[str, str]
    directory: Path
    module: str = "waldur_slurm.main"
    said: list[str] = field(default_factory=list)
    is_started_anew: bool = False
    """Not forked: where somebody looks at the process itself, or has mounted something since."""

    def run(self, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        done = run_to_its_end(self.argv(*arguments), self.environ | changes, starts=self._start)
        self.said += [done.stdout, done.stderr]
        return done

    def data(self, *arguments: str, **changes: str) -> Any:
        return json.loads(self.run(*arguments, "--json", **changes).stdout)

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self.module, *arguments]

    @property
    def _start(self) -> Start:
        return start_anew if self.is_started_anew else start

    @contextmanager
    def daemon(self, **changes: str) -> Iterator["Daemon"]:
        """Start it as systemd would, and kill it at the end if it is still there."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            address = self.directory / f"notify-{time.monotonic_ns()}"
            manager.bind(str(address))
            address.chmod(0o666)  # as systemd's own
            log = self.directory / f"log-{time.monotonic_ns()}"
            environ = self.environ | {"NOTIFY_SOCKET": str(address)} | changes
            with log.open("wb") as stream:
                process = self._start(self.argv(), environ, stream.fileno(), stream.fileno())
            try:
                yield Daemon(process, manager, log)
            finally:
                process.kill()
                process.wait()
                self.said.append(log.read_text())


@dataclass
class Daemon:
    process: Process
    manager: socket.socket
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def hears(self, message: str, timeout: float = 60.0) -> None:
        """Wait until the service manager was told `message`, or what begins with it."""
        if not self.is_told(message, timeout):
            raise AssertionError(f"it ended before it told {message!r}; log: {self.log}")

    def is_told(self, message: str, timeout: float = 60.0) -> bool:
        """Wait for `message`, or what begins with it; false where the process ends before."""
        heard = []
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            has_ended = self.process.poll() is not None
            while select.select([self.manager], [], [], 0 if has_ended else 0.2)[0]:
                heard.append(self.manager.recv(4096).decode())
                if heard[-1].startswith(message):
                    return True
            if has_ended:
                return False
        raise AssertionError(f"{message!r} was never told, only {heard}; log: {self.log}")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, timeout: float = 15.0) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=timeout)


def fast_tools(directory: Path, environ: Mapping[str, str], *more: str) -> Path:
    """Slurm's tools as the sandbox starts them: the agent passes on no environment of its own."""
    directory.mkdir()
    kept = " ".join(f"{name}='{value}'" for name, value in environ.items() if name != "PATH")
    for tool in (*TOOLS, *more):
        script = directory / tool
        script.write_text(f'#!/bin/sh\nexec /usr/bin/env {kept} /usr/bin/{tool} "$@"\n')
        script.chmod(0o755)
    return directory


def eventually(holds: Callable[[], bool], what: str, timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so: {what}")
        time.sleep(0.1)
