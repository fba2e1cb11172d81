"""The executor of `executor/`, built and installed for people of its own.

It runs in a mount namespace of its own: there /usr/local holds nothing but it, /etc/passwd and
/etc/group name three people and two accounts, and /home is theirs. The machine stays as it is.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures_slurm import IN_CI, require
from tests.patience import AT_ONCE_S
from tests.places import PROJECT

SOURCES = PROJECT / "executor"
STRICT = "-O2 -Werror"
SANITIZED = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

SLURMER, ALICE, BOB, SLURM, OWNER = "slurmer", "alice", "bob", "slurm", "owner"
UIDS = {"root": 0, SLURMER: 2000, ALICE: 2001, BOB: 2002, SLURM: 2003, OWNER: 2004}
RANGE = (2001, 2999)
PRIMARY = {**UIDS, OWNER: 0}
"""Each one's first group; `owner` has root's."""

GROUPS = {"alices": (3001, (ALICE,)), "both": (3002, (ALICE, SLURMER)), "his": (3003, (SLURMER,))}
SHELL = "/bin/sh"
LISTED = (SHELL, "/usr/bin/id", "/usr/bin/env", "/usr/bin/false", "/usr/bin/cat", "/nonexistent")

Done = subprocess.CompletedProcess[str]


def run(
    *argv: str | Path,
    stdin: str = "",
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> Done:
    return subprocess.run(
        argv,
        input=stdin,
        env={"PATH": os.defpath, **(environ or {})},
        cwd=cwd or "/",
        pass_fds=pass_fds,
        capture_output=True,
        text=True,
        timeout=120,
    )


def make(directory: Path, *words: str, cflags: str = STRICT) -> Done:
    return run("make", "--directory", directory, f"CFLAGS={cflags}", *words)


def copy_sources(directory: Path) -> Path:
    """Make a copy to build in: the project's own tree stays clean."""
    built = shutil.ignore_patterns("executor", "told.mk")
    return Path(shutil.copytree(SOURCES, directory, ignore=built))


def build(directory: Path, *words: str, cflags: str = STRICT) -> Path:
    """Build a copy of the executor and return where it lies."""
    sources = copy_sources(directory / "sources")
    done = make(sources, *words, cflags=cflags)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return sources


@dataclass(frozen=True)
class ExecutorSite:
    """One installed executor."""

    directory: Path

    @property
    def prefix(self) -> Path:
        """What is /usr/local there."""
        return self.directory / "installed" / "usr" / "local"

    @property
    def list(self) -> Path:
        return self.prefix / "etc" / "executor.commands"

    @property
    def home(self) -> Path:
        """What is /home there."""
        return self.directory / "home"

    def allow(self, *lines: str) -> None:
        self.list.write_text("".join(f"{line}\n" for line in lines))

    def add_command(self, name: str, script: str) -> str:
        """Let a script be there, as root's, and return its path."""
        path = self.prefix / "libexec" / name
        path.write_text(script)
        path.chmod(0o755)
        return f"/usr/local/libexec/{name}"

    def argv(self, *words: str, caller: str = SLURMER) -> tuple[str | Path, ...]:
        rights = ("setpriv", "--reuid", caller, "--regid", caller, "--init-groups", "--")
        return (self.directory / "inside", *rights, "/usr/local/bin/executor", *words)

    def run(
        self,
        *words: str,
        caller: str = SLURMER,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> Done:
        argv = self.argv(*words, caller=caller)
        return run(*argv, stdin=stdin, environ=environ, cwd=cwd, pass_fds=pass_fds)

    def ask(
        self, user: str, command: str, *args: str, stdin: str = "", directory: str = ""
    ) -> Done:
        """Ask for one command as a user, by a request on standard input."""
        return self.run("--stdin", stdin=request(user, command, *args, stdin=stdin, dir=directory))


def lives(process: Path) -> bool:
    """Whether what has this place in /proc still runs, and does not only wait to be noticed."""
    try:
        return (process / "cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def has_ended(process: Path) -> bool:
    """Wait until it has."""
    deadline = time.monotonic() + AT_ONCE_S
    while lives(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not lives(process)


def request(user: str, command: str, *args: str, **more: str) -> str:
    return json.dumps({"user": user, "command": command, "args": args, **more})


@pytest.fixture(scope="session")
def installed_executor() -> Iterator[ExecutorSite]:
    """An executor as root installs it."""
    with open_site_directory() as directory:
        yield install(directory)


@contextmanager
def open_site_directory() -> Iterator[Path]:
    """Make a directory that root alone can write, from / down; pytest's own are not."""
    needed = ("cc", "make", "setpriv", "unshare")
    missing = [name for name in needed if shutil.which(name) is None]
    root = [] if os.geteuid() == 0 else ["root, to act as several users"]
    require(missing + root, in_ci=IN_CI)
    directory = Path(tempfile.mkdtemp(prefix="wsat-exec-", dir="/var/lib"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def executor(installed_executor: ExecutorSite) -> ExecutorSite:
    """The installed executor with the usual list, and homes with nothing in them."""
    installed_executor.allow(*LISTED)
    for user in (ALICE, BOB):
        home = installed_executor.home / user
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        os.chown(home, UIDS[user], PRIMARY[user])
    return installed_executor


def install(
    directory: Path, *, cflags: str = STRICT, uids: tuple[int, int] = RANGE
) -> ExecutorSite:
    """Build and install as its README says, and make the people."""
    site = ExecutorSite(directory)
    least, most = uids
    told = (f"MIN_UID={least}", f"MAX_UID={most}", f"SLURMER_UID={UIDS[SLURMER]}")
    sources = build(directory, *told, cflags=cflags)
    done = make(sources, "install", f"DESTDIR={directory}/installed", cflags=cflags)
    assert done.returncode == 0, done.stderr
    (site.prefix / "libexec").mkdir()
    site.home.mkdir()
    _write_people(directory)
    mounts = (
        f"mount --bind {directory}/passwd /etc/passwd",
        f"mount --bind {directory}/group /etc/group",
        f"mount --bind {site.home} /home",
        f"mount --bind {site.prefix} /usr/local",
    )
    inside = directory / "inside"
    script = f'exec unshare -m sh -c \'{" && ".join(mounts)} && exec "$@"\' sh "$@"'
    inside.write_text(f"#!/bin/sh\n{script}\n")
    inside.chmod(0o755)
    return site


def _write_people(directory: Path) -> None:
    people = [f"{name}:*:{uid}:{PRIMARY[name]}::/home/{name}:/bin/sh" for name, uid in UIDS.items()]
    groups = [f"{name}:*:{gid}:" for name, gid in UIDS.items()]
    groups += [f"{name}:*:{gid}:{','.join(users)}" for name, (gid, users) in GROUPS.items()]
    (directory / "passwd").write_text("\n".join(people) + "\n")
    (directory / "group").write_text("\n".join(groups) + "\n")
