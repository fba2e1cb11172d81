"""A packed hand with its hand.conf, as root installs it, and the ways to reach it.

Everything lies in one directory of root's and is gone afterwards; sudo reads rules of its own in a
mount namespace of its own, so the machine's /etc/sudoers stays what it is.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from pwd import getpwnam

import pytest

from sandbox.slurm.daemons import find_program
from sandbox.slurm.keeping import PATH
from sandbox.slurm.users import ensure_users
from sandbox.ssh import running_sshd
from tests.fixtures_executor import build, make
from tests.fixtures_slurm import IN_CI, require
from waldur_slurm.hand.pack import pack
from waldur_slurm.slurm.transports.files import Files
from waldur_slurm.slurm.transports.hands import (
    Hand,
    Heard,
    OwnHand,
    SetuidHand,
    SocketHand,
    SudoHand,
)
from waldur_slurm.slurm.transports.on_behalf import OnBehalf
from waldur_slurm.slurm.transports.ssh_hand import SshHand
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KnownHosts

CALLER = "wsat-gate"
ANN, BOB = "wsat-ann", "wsat-bob"
STRANGER = "wsat-eve"
"""A user that hand.conf does not list."""

GROUPS = "games,users"
"""Where Ann is a member too."""

WAYS = ("sudo", "setuid", "socket", "self", "ssh")
AT_ONCE = 8
READY_S = 10.0
SILENCE = timedelta(seconds=20)


@dataclass(frozen=True)
class HandSite:
    """One installed hand; `home` gives the directory that a user's root is."""

    directory: Path

    @property
    def program(self) -> Path:
        return self.directory / "hand"

    @property
    def conf(self) -> Path:
        return self.directory / "hand.conf"

    @property
    def sudoers(self) -> Path:
        """The one line that lets the caller start the hand as others."""
        return self.directory / "sudoers"

    @property
    def executor(self) -> Path:
        return self.directory / "executor" / "bin" / "executor"

    @property
    def socket(self) -> Path:
        return self.directory / "hand.sock"

    @property
    def sshd(self) -> Path:
        """Where the site's own sshd has its keys."""
        return self.directory / "sshd"

    @property
    def ssh_port(self) -> Path:
        return self.sshd / "port"

    def home(self, user: str) -> Path:
        return self.directory / "home" / user

    def write_conf(self, *lines: str, **changed: str) -> None:
        """Write hand.conf anew, with these keys in place of the usual ones."""
        values = {
            "caller": CALLER,
            "users": f"{ANN} {BOB}",
            "roots": f"{self.directory}/home/{{user}}",
            "min_uid": "100",
            "max_uid": "65533",
            "socket": str(self.socket),
            "at_once": str(AT_ONCE),
            **changed,
        }
        text = "".join(f"{key} = {value}\n" for key, value in values.items())
        self.conf.write_text(text + "".join(f"{line}\n" for line in lines))

    def hand(self, way: str, user: str = ANN) -> Hand:
        """Return the hand by one way, as the caller sees it; `self` and `ssh` as that user."""
        if way == "sudo":
            return SudoHand(self.program, sudo=self.directory / "sudo")
        if way == "setuid":
            return SetuidHand(self.program, executor=self.directory / "executor-as-caller")
        if way == "ssh":
            return self.over_ssh(user)
        if way == "socket":
            return CallersSocketHand(self.socket, getpwnam(CALLER).pw_uid)
        return OwnHand(self.conf, program=self.directory / f"as-{user}")

    def over_ssh(self, user: str = ANN) -> SshHand:
        """Return the one connection of the tests' to the site's own sshd, made when needed."""
        return _by_ssh(self.directory, user)

    def behalf(self, way: str = "socket", user: str = ANN) -> OnBehalf:
        return OnBehalf(self.hand(way, user), silence=SILENCE)

    def files(self, user: str = ANN) -> Files:
        return self.behalf().of(user).files


@cache
def _by_ssh(directory: Path, user: str) -> SshHand:
    site = HandSite(directory)
    return SshHand(
        "127.0.0.1",
        user=user,
        port=int(site.ssh_port.read_text()),
        host_keys=KnownHosts(site.sshd / "known_hosts"),
        key=KeyFile(site.sshd / "user_key"),
        program=site.program,
        conf=site.conf,
    )


class CallersSocketHand:
    """The socket as the caller, given by his uid, reaches it: the kernel notes who connects."""

    def __init__(self, path: Path, caller: int) -> None:
        self._hand = SocketHand(path)
        self._uid = caller

    def open(self, user: str, sent: Iterable[bytes], silence: timedelta) -> Heard:
        os.seteuid(self._uid)
        try:
            return self._hand.open(user, sent, silence)
        finally:
            os.seteuid(0)


@pytest.fixture(scope="session")
def installed_hand() -> Iterator[HandSite]:
    """A hand as root installs it, and its service."""
    needed = ("sudo", "setpriv", "unshare", "cc", "make", "sshd")
    missing = [name for name in needed if shutil.which(name, path=PATH) is None]
    root = [] if os.geteuid() == 0 else ["root, to act as several users"]
    require(missing + root, in_ci=IN_CI)
    ensure_users((CALLER, ANN, BOB, STRANGER))
    usermod = find_program("usermod")
    subprocess.run((usermod, "--append", "--groups", GROUPS, ANN), check=True)
    for user in (ANN, BOB):  # no password opens it, and sshd does not take it for locked
        subprocess.run((usermod, "--shell", "/bin/sh", "--password", "*", user), check=True)
    directory = Path(tempfile.mkdtemp(prefix="wsat-hand-", dir="/var/lib"))
    directory.chmod(0o755)
    try:
        site = install(directory)
        with (
            _listening_sshd(site),
            subprocess.Popen(
                (find_program("setpriv"), "--pdeathsig", "KILL", site.program, "serve")
            ) as service,
        ):
            _wait_for(site.socket)
            yield site
            service.kill()
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def hand_site(installed_hand: HandSite) -> HandSite:
    """The installed hand with the usual hand.conf, and homes with nothing in them."""
    installed_hand.write_conf()
    for user in (ANN, BOB, STRANGER):
        for path in installed_hand.home(user).iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return installed_hand


@contextmanager
def _listening_sshd(site: HandSite) -> Iterator[None]:
    """Let the users log in by a key, on loopback."""
    site.sshd.mkdir()
    with running_sshd(site.sshd, lifetime=timedelta(hours=4)) as server:
        site.ssh_port.write_text(str(server.port))
        try:
            yield
        finally:
            for user in (ANN, BOB):
                site.over_ssh(user).close()
            _by_ssh.cache_clear()


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + READY_S
    while not path.exists():
        assert time.monotonic() < deadline, f"nobody listens at {path}"
        time.sleep(0.02)


def install(directory: Path) -> HandSite:
    """Install a hand in a directory that only root can write."""
    site = HandSite(directory)
    pack(site.program, conf=str(site.conf))
    for user in (ANN, BOB, STRANGER):
        uid, gid = getpwnam(user)[2:4]
        site.home(user).mkdir(parents=True)
        os.chown(site.home(user), uid, gid)
        site.home(user).chmod(0o700)
        _script(site.directory / f"as-{user}", f'{_as(user)} {site.program} "$@"')
    rules = site.sudoers
    rules.write_text(f'{CALLER} ALL=({ANN},{BOB},{STRANGER}) NOPASSWD: {site.program} ""\n')
    rules.chmod(0o440)
    own_rules = f"unshare -m sh -c 'mount --bind {rules} /etc/sudoers && exec \"$@\"' sh"
    _script(
        site.directory / "sudo", f'exec {own_rules} {_as(CALLER).removeprefix("exec ")} sudo "$@"'
    )
    _install_executor(site)
    site.write_conf()
    return site


def _install_executor(site: HandSite) -> None:
    """Install the executor for the caller, with a list that lets it start the hand and no more."""
    prefix = site.executor.parents[1]
    told = (f"SLURMER_UID={getpwnam(CALLER).pw_uid}", "MIN_UID=100", "MAX_UID=65533")
    sources = build(site.directory, f"PREFIX={prefix}", *told)
    assert make(sources, "install").returncode == 0
    (prefix / "etc" / "executor.commands").write_text(f'{site.program} ""\n')
    _script(site.directory / "executor-as-caller", f'{_as(CALLER)} {site.executor} "$@"')


def _as(user: str) -> str:
    uid, gid = getpwnam(user)[2:4]
    return f"exec setpriv --reuid {uid} --regid {gid} --init-groups --"


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
