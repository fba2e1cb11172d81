"""A Docker engine that answers: the machine's own, or one that is started here for a while.

Rule: an engine that answers is used as it is. One started here listens on the unix socket only,
and ends when nobody has renewed its lease for `LEASE`, whatever became of who started it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sandbox.docker.command import DockerFailed, docker

LEASE = timedelta(hours=3)
ROOT = Path(__file__).resolve().parents[2]
SOCKET = Path("/var/run/docker.sock")
# Of the machine, not of a checkout: an engine outlives the directory that it was started from.
STATE = Path("/run/waldur-slurm-sandbox")
LOG = ROOT / ".cache" / "dockerd.log"
PATIENCE_S = 60.0
# Keepers outlive whoever started them: a handle that is let go of while one lives is warned of.
_STARTED: list[subprocess.Popen[bytes]] = []


class EngineMissing(DockerFailed):
    """No engine answers, and none can be started here; the text says what a person can do."""


def engine_version() -> str | None:
    try:
        return docker("version", "--format", "{{.Server.Version}}", timeout=20).stdout.strip()
    except DockerFailed:
        return None


def ensure_engine(owner: int | None = None) -> str:
    """Return the version of the engine that answers; `owner` is who else may use a new one."""
    if (version := engine_version()) is None:
        if os.geteuid() != 0 or shutil.which("dockerd") is None:
            raise EngineMissing(
                "no Docker engine answers: start one (and join its group), or run `make setup`, "
                "which installs and starts one on Debian and Ubuntu"
            )
        version = _start(owner)
    _renew()
    return version


def stop_engine() -> bool:
    """End the engine if it was started here; say whether it was."""
    pid = _keeper()
    if pid is None:
        return False
    os.kill(pid, 15)
    deadline = time.monotonic() + PATIENCE_S
    while _keeper() is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return _keeper() is None


def _start(owner: int | None) -> str:
    STATE.mkdir(mode=0o755, exist_ok=True)
    with _alone():
        if (version := engine_version()) is not None:
            return version  # somebody else was quicker
        LOG.parent.mkdir(exist_ok=True)
        _renew(create=True)
        argv = (sys.executable, "-m", "sandbox.docker.keeper", str(STATE), str(LOG))
        keeper = subprocess.Popen(
            argv,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _STARTED.append(keeper)
        version = _wait_for(keeper)
    if owner is not None:
        os.chown(SOCKET, owner, -1)
        os.chown(STATE / "lease", owner, -1)
    return version


def _wait_for(keeper: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while keeper.poll() is None and time.monotonic() < deadline:
        if (version := engine_version()) is not None:
            return version
        time.sleep(0.2)
    last = LOG.read_text(errors="replace").splitlines()[-5:] if LOG.exists() else []
    raise EngineMissing("the Docker engine did not start:\n" + "\n".join(last))


def _renew(*, create: bool = False) -> None:
    lease = STATE / "lease"
    if create or (lease.exists() and os.access(lease, os.W_OK)):
        lease.touch()


def _keeper() -> int | None:
    try:
        pid = int((STATE / "keeper.pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if b"sandbox.docker.keeper" in words else None


@contextmanager
def _alone() -> Iterator[None]:
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
