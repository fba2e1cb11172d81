"""One open connection to one host, which many commands share: OpenSSH's ControlMaster.

All that ssh is told stands in a private directory, never in its arguments. A key from memory is
a file there only while the connection is being made. No configuration of this user or machine is
read, and no host is believed that was not named beforehand.
"""

import os
import socket
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.slurm.transports.ssh_words import Route, refusal

IDLE = timedelta(minutes=2)
"""How long a connection that nobody uses or closes stays, also after this process was killed."""
ALIVE_EVERY_S, ALIVE_MISSED = 5, 3
LONGEST_SOCKET = 90
"""A unix socket's path may have 107 bytes; ssh adds 17 of its own while it makes one."""

ENVIRON = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """A file of OpenSSH's format `known_hosts`; changes count from the next connection on."""

    path: Path


@dataclass(frozen=True, slots=True)
class HostKey:
    """The host's own public keys, a line each as in /etc/ssh/ssh_host_*_key.pub."""

    lines: str


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key that ssh reads where it lies, and the certificate for it if there is one."""

    path: Path
    certificate: Path | None = None

    def __str__(self) -> str:
        return f"key {self.path}"


@dataclass(frozen=True, slots=True)
class KeyText:
    """A private key that is kept in memory, and the certificate for it if there is one."""

    private: str = field(repr=False)
    certificate: str = ""

    def __str__(self) -> str:
        return "the key that was given"


class Master:
    """Makes the connection when it is first needed, and again whenever it was lost."""

    def __init__(
        self,
        route: Route,
        host_keys: KnownHosts | HostKey,
        key: KeyFile | KeyText,
        *,
        patience: timedelta,
    ) -> None:
        self._route = route
        self._host_keys = host_keys
        self._key = key
        self._patience = patience
        self._room: tempfile.TemporaryDirectory[str] | None = None
        self._turn = threading.Lock()
        self._failed: tuple[float, TransportError] | None = None
        """When it last could not be made, and why."""
        self._made = 0.0

    def ready(self) -> tuple[str, ...]:
        """Return how to call ssh so that it uses the connection, which stands, or nothing else.

        Whoever waited while somebody else tried in vain does not try again: a host that is silent
        costs all who wait one patience, not one after the other.
        """
        asked = time.monotonic()
        with self._turn:
            room = self._prepared()
            if not _answers(room / "master"):
                if self._failed is not None and self._failed[0] >= asked:
                    raise type(self._failed[1])(str(self._failed[1]))
                self._try(room)
        return (*_ssh(room), "-o", "ProxyCommand=false", self._route.host)

    def forsake(self, since: float) -> None:
        """Have a new one made next time, where this one stood at `since` and is dead unnoticed.

        What is forsaken ends by itself, as one that nobody uses.
        """
        with self._turn:
            if self._room is not None and self._made <= since:
                (Path(self._room.name) / "master").unlink(missing_ok=True)

    def close(self) -> None:
        """End the connection, and with it what runs over it; the next command makes a new one."""
        with self._turn:
            if self._room is None:
                return
            room = Path(self._room.name)
            if _answers(room / "master"):
                self._call(*_ssh(room), "-O", "exit", self._route.host)
            self._room.cleanup()
            self._room = None

    def _prepared(self) -> Path:
        """Make the private directory; its finalizer removes it also where nobody closes this."""
        if self._room is None:
            self._room = tempfile.TemporaryDirectory(prefix="waldur-ssh-")
            room = Path(self._room.name)
            if len(bytes(room / "master")) > LONGEST_SOCKET or set(str(room)) & set('"\n%$'):
                self._room.cleanup()
                self._room = None
                raise TransportError(f"ssh cannot use {room.parent}: name a shorter TMPDIR")
            self._furnish(room)
        return Path(self._room.name)

    def _furnish(self, room: Path) -> None:
        match self._host_keys:
            case KnownHosts(path):
                (room / "known_hosts").symlink_to(path.absolute())
            case HostKey(lines):
                given = (f"given {line}\n" for line in lines.splitlines() if line.strip())
                (room / "known_hosts").write_text("".join(given))
        if isinstance(self._key, KeyFile):
            (room / "key").symlink_to(self._key.path.absolute())
            if self._key.certificate:
                (room / "certificate").symlink_to(self._key.certificate.absolute())
        (room / "config").write_text(self._configuration(room))

    def _configuration(self, room: Path) -> str:
        by_given_key = isinstance(self._host_keys, HostKey)
        return "\n".join(
            (
                f"HostName {self._route.host}",
                f"Port {self._route.port}",
                f"User {self._route.user}",
                f'ControlPath "{room}/master"',
                f"ControlPersist {IDLE.total_seconds():.0f}",
                f'UserKnownHostsFile "{room}/known_hosts"',
                f'IdentityFile "{room}/key"',
                *([f'CertificateFile "{room}/certificate"'] if self._key.certificate else []),
                *(["HostKeyAlias given"] if by_given_key else []),
                f"ConnectTimeout {self._patience.total_seconds():.0f}",
                f"ServerAliveInterval {ALIVE_EVERY_S}",
                f"ServerAliveCountMax {ALIVE_MISSED}",
                *SETTLED,
                "",
            )
        )

    def _try(self, room: Path) -> None:
        try:
            self._connect(room)
        except TransportError as error:
            self._failed = (time.monotonic(), error)
            raise
        self._made = time.monotonic()

    def _connect(self, room: Path) -> None:
        self._refuse_what_is_missing()
        (room / "master").unlink(missing_ok=True)
        try:
            if isinstance(self._key, KeyText):
                _write_privately(room / "key", self._key.private)
                if self._key.certificate:
                    _write_privately(room / "certificate", self._key.certificate)
            code, words = self._call(*_ssh(room), "-M", "-N", "-f", self._route.host)
        finally:
            if isinstance(self._key, KeyText):
                (room / "key").unlink(missing_ok=True)
        if code:
            raise refusal(words, self._route)
        if not _answers(room / "master"):
            raise TransportError(f"the connection to {self._route} was lost as soon as it stood")

    def _refuse_what_is_missing(self) -> None:
        if isinstance(self._host_keys, KnownHosts):
            _refuse_unreadable(self._host_keys.path, "host keys are looked up in")
        if isinstance(self._key, KeyFile):
            _refuse_unreadable(self._key.path, "the private key should be in")
            if self._key.certificate:
                _refuse_unreadable(self._key.certificate, "the certificate should be in")

    def _call(self, *argv: str) -> tuple[int, str]:
        allowed = self._patience + timedelta(seconds=ALIVE_EVERY_S)
        done = NativeTransport(ENVIRON).run(argv, timeout=allowed)
        return done.code, done.err or done.out


SETTLED = (
    "StrictHostKeyChecking yes",
    "GlobalKnownHostsFile /dev/null",
    "UpdateHostKeys no",
    "VerifyHostKeyDNS no",
    "CheckHostIP no",
    "BatchMode yes",
    "PreferredAuthentications publickey",
    "IdentitiesOnly yes",
    "IdentityAgent none",
    "AddKeysToAgent no",
    "ClearAllForwardings yes",
    "ForwardAgent no",
    "ForwardX11 no",
    "PermitLocalCommand no",
    "CanonicalizeHostname no",
    "ConnectionAttempts 1",
    "RequestTTY no",
    "EscapeChar none",
    "LogLevel ERROR",
)
"""What holds for every connection, whatever this machine's defaults are."""


def _ssh(room: Path) -> tuple[str, ...]:
    return ("ssh", "-F", str(room / "config"))


def _answers(control: Path) -> bool:
    """Say whether a master listens there; the file alone may be left over from a dead one."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(control))
        except OSError:
            return False
    return True


def _write_privately(file: Path, text: str) -> None:
    """Write it for this user alone, with the line ends that ssh insists on."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", newline="\n") as opened:
        opened.write("\n".join(text.strip().splitlines()) + "\n")


def _refuse_unreadable(file: Path, why: str) -> None:
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise TransportError(f"{why} {file}, which cannot be read: {error.strerror}") from error
