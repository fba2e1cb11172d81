"""Run one command to its end: no shell, a clean environment, and a deadline that ends its group."""

import os
import pwd
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.slurm.daemons import find_program
from sandbox.slurm.errors import DeadlinePassed, SandboxError


@dataclass(frozen=True)
class Completed:
    """What a command answered."""

    code: int
    out: str
    err: str


def run_command(
    argv: tuple[str, ...],
    environ: Mapping[str, str],
    *,
    timeout: float,
    user: str | None = None,
    directory: Path = Path("/"),
) -> Completed:
    with subprocess.Popen(
        (find_program(argv[0]), *argv[1:]),
        env=environ,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        **_identity(user),
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise DeadlinePassed(f"no end of {argv} within {timeout:g} s") from error
    return Completed(process.returncode, out, err)


def _identity(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    try:
        entry = pwd.getpwnam(user)
    except KeyError as error:
        raise SandboxError(f"no unix user {user!r} on this machine") from error
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
