"""Unix users that tests run jobs as.

Only names with our prefix, and only those that carry our mark in their comment, are ever removed;
while another process uses them they stay.
"""

import fcntl
import os
import pwd
import re
import subprocess
from collections.abc import Iterable

from sandbox.slurm.daemons import find_program
from sandbox.slurm.errors import SandboxError

PREFIX = "wsat-"
MARK = "waldur-slurm-agent test user"

# useradd: it exists already. Another test run may have been quicker.
EXISTS = 9
# userdel: a process runs as this user.
IN_USE = 8


class _Lease:
    """A shared lock on /etc for as long as this process uses the users; the kernel ends it."""

    descriptor: int | None = None


def ensure_users(names: Iterable[str]) -> tuple[str, ...]:
    """Make the users that do not exist, and keep them from being removed by other test runs."""
    wanted = tuple(names)
    for name in wanted:
        if not re.fullmatch(rf"{PREFIX}[a-z0-9_-]{{1,24}}", name):
            raise SandboxError(f"a test user's name is {PREFIX}[a-z0-9_-]+, not {name!r}")
    _lease()
    known = {entry.pw_name: entry.pw_gecos for entry in pwd.getpwall()}
    for name in wanted:
        if name not in known:
            _add(name)
        elif known[name] != MARK:
            raise SandboxError(f"the user {name} exists and is not ours")
    return wanted


def remove_users() -> tuple[str, ...]:
    """Remove every test user, unless another process uses them; return who was removed."""
    descriptor = _lease()
    _Lease.descriptor = None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _remove_marked()
    except BlockingIOError:
        return ()
    finally:
        os.close(descriptor)


def _lease() -> int:
    if _Lease.descriptor is None:
        descriptor = os.open("/etc", os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _Lease.descriptor = descriptor
    return _Lease.descriptor


def _add(name: str) -> None:
    argv = [find_program("useradd"), "--no-create-home", "--no-user-group", "--gid", "nogroup"]
    argv += ["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "--comment", MARK, name]
    made = subprocess.run(argv, capture_output=True, text=True)
    if made.returncode not in (0, EXISTS):
        raise SandboxError(f"useradd {name}: {made.stderr.strip()}")


def _remove_marked() -> tuple[str, ...]:
    ours = [
        entry.pw_name
        for entry in pwd.getpwall()
        if entry.pw_name.startswith(PREFIX) and entry.pw_gecos == MARK
    ]
    return tuple(name for name in ours if _remove(name))


def _remove(name: str) -> bool:
    """Remove the user; one that something still runs as is left for the next time."""
    argv = (find_program("userdel"), name)
    removed = subprocess.run(argv, capture_output=True, text=True)
    if removed.returncode not in (0, IN_USE):
        raise SandboxError(f"userdel {name}: {removed.stderr.strip()}")
    return removed.returncode == 0
