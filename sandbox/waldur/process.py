"""The server as a process of its own: it dies with its starter, or when its time is over.

Its starter holds the other end of its standard input, which the kernel closes whatever kills him.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ADDRESS_FILE = "server.json"
OUTPUT_FILE = "server.log"
SERVING = "sandbox.waldur.serving"
START_TIMEOUT = 30.0


class NotRunning(RuntimeError):
    pass


def start_bound(directory: Path, port: int = 0) -> tuple["subprocess.Popen[bytes]", int]:
    """A server that ends when this process does."""
    process = _start(directory, subprocess.PIPE, port, "--until-stdin-closes")
    return process, _wait_for_port(directory, process)


def start_detached(directory: Path, port: int, seconds: float) -> tuple[int, int]:
    """A server that outlives its starter, for this long at most: its process id and port."""
    process = _start(directory, subprocess.DEVNULL, port, "--seconds", str(seconds))
    port = _wait_for_port(directory, process)
    process.returncode = 0  # it is meant to be left behind
    return process.pid, port


def running(directory: Path) -> tuple[int, int] | None:
    """Process id and port of the server of this directory, if it is there and really is one."""
    try:
        found = json.loads((directory / ADDRESS_FILE).read_text())
        command = Path(f"/proc/{found['pid']}/cmdline").read_text().split("\0")
    except (OSError, ValueError):
        return None
    is_ours = SERVING in command and str(directory) in command
    return (found["pid"], found["port"]) if is_ours else None


def stop_detached(directory: Path) -> bool:
    found = running(directory)
    if found is None:
        return False
    os.kill(found[0], signal.SIGTERM)
    deadline = time.monotonic() + START_TIMEOUT
    while running(directory) and time.monotonic() < deadline:
        time.sleep(0.02)
    return True


def _start(directory: Path, stdin: int, port: int, *more: str) -> "subprocess.Popen[bytes]":
    """It outlives whoever reads its starter's output, so it must not hold that open."""
    (directory / ADDRESS_FILE).unlink(missing_ok=True)
    argv = (sys.executable, "-m", SERVING, str(directory), "--port", str(port), *more)
    with (directory / OUTPUT_FILE).open("wb") as output:
        return subprocess.Popen(
            argv, stdin=stdin, stdout=output, stderr=output, start_new_session=True
        )


def _wait_for_port(directory: Path, process: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (directory / OUTPUT_FILE).read_text()
            raise NotRunning(f"the server ended at once, with {process.returncode}: {said}")
        try:
            port: int = json.loads((directory / ADDRESS_FILE).read_text())["port"]
        except (OSError, ValueError):
            time.sleep(0.01)
        else:
            return port
    process.kill()
    raise NotRunning("the server did not start in time")
