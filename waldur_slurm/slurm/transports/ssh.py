"""Slurm's tools on another host, through OpenSSH.

The time-out is kept on that host by `timeout`, which ends the whole process group even when this
process or the connection is gone; this side waits a little longer, no more. Nothing is ever sent
twice: a command whose end is not known is an error, and whoever asked decides.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from waldur_slurm.errors import SettingsError, TransportError
from waldur_slurm.processes.child import Child, Ended
from waldur_slurm.processes.output import captured, cut_lines, decoded
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.ssh_envelope import LOADER, Frame, envelope
from waldur_slurm.slurm.transports.ssh_master import (
    ENVIRON,
    HostKey,
    KeyFile,
    KeyText,
    KnownHosts,
    Master,
)
from waldur_slurm.slurm.transports.ssh_words import Route, explained

LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
GRACE = timedelta(seconds=10)
MAX_SESSIONS = 10
"""How many commands sshd runs over one connection at once, unless its MaxSessions says else."""

KILLED = 137
CANNOT_START = (125, 126, 127)
STARTERS = re.compile(r"timeout: |[^\n]*: timeout: (command )?not found")
"""Who says that a command cannot be started; Slurm's own tools use these exit codes too."""

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]*")


class SshTransport:
    """Runs commands on `host` as `user`, all over one connection, which is made when needed."""

    def __init__(
        self,
        host: str,
        *,
        user: str,
        port: int = 22,
        host_keys: KnownHosts | HostKey,
        key: KeyFile | KeyText,
        timeout: timedelta = timedelta(minutes=5),
        patience: timedelta = GRACE,
        most_output: int = 256 * 1024 * 1024,
        most_at_once: int = MAX_SESSIONS,
    ) -> None:
        refuse_misspelt(host, user, port)
        known = str(host_keys.path) if isinstance(host_keys, KnownHosts) else ""
        self._route = Route(host, port, user, known, str(key))
        self._master = Master(self._route, host_keys, key, patience=patience)
        self._timeout = timeout
        self._most_output = most_output
        self._sessions = threading.BoundedSemaphore(most_at_once)

    def close(self) -> None:
        """End the connection and forget its files; the next command connects anew."""
        self._master.close()

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        with self._session(argv, stdin, environ, timeout) as session:
            capture = captured(argv[0], self._most_output, session.output())
            return session.judged(capture.completed(session.code()))

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        with self._session(argv, "", environ, timeout) as session:
            errors = yield from cut_lines(argv[0], self._most_output, session.output())
            believe(session.judged(errors.completed(session.code())))

    @contextmanager
    def _session(
        self,
        argv: tuple[str, ...],
        stdin: str,
        environ: Mapping[str, str] | None,
        timeout: timedelta | None,
    ) -> Iterator["Session"]:
        allowed = timeout or self._timeout
        if not self._sessions.acquire(timeout=allowed.total_seconds()):
            raise TransportError(
                f"{argv[0]} had to wait for {allowed.total_seconds():g} s until other commands "
                f"on {self._route.host} end, and was not started"
            )
        try:
            yield Session(
                self._route,
                self._master,
                argv,
                stdin=stdin.encode("utf-8", errors="surrogateescape"),
                environ={**LOCALE, **(environ or {})},
                timeout=allowed,
            )
        finally:
            self._sessions.release()


class Session:
    """One command on one host, from its start to its exit code."""

    def __init__(
        self,
        route: Route,
        master: Master,
        argv: tuple[str, ...],
        *,
        stdin: bytes,
        environ: Mapping[str, str],
        timeout: timedelta,
    ) -> None:
        mark = secrets.token_hex(16)
        self._route = route
        self._master = master
        self._command = argv[0]
        self._timeout = timeout
        seconds = timeout.total_seconds()
        self._sent = envelope(argv, environ, seconds=seconds, mark=mark) + stdin
        self._out = Frame(mark)
        self._err = Frame(mark)
        self._began = 0.0

    def output(self) -> Iterator[tuple[bool, bytes]]:
        """Start the command and yield (is stdout, data) until it has ended."""
        for is_out, data in self._arriving():
            if written := (self._out if is_out else self._err).cut(data):
                yield is_out, written

    def code(self) -> int:
        """Return the command's own exit code, where both of its streams arrived whole."""
        if not (self._out.has_begun and self._err.has_begun):
            raise TransportError(self._not_begun())
        code = self._err.code
        if code is None or self._out.code is None:
            raise TransportError(
                f"the connection to {self._command} on {self._route.host} broke, and what became "
                "of it is not known"
            )
        return code

    def judged(self, completed: Completed) -> Completed:
        """Tell what the wrapping `timeout` says from what the command says."""
        seconds = self._timeout.total_seconds()
        if completed.code == KILLED and time.monotonic() - self._began >= seconds:
            raise TransportError(
                f"{self._command} did not end within {seconds:g} s on {self._route.host} "
                "and was killed"
            )
        if completed.code in CANNOT_START and STARTERS.match(completed.err):
            raise TransportError(
                f"{self._command} cannot be started on {self._route.host}: {completed.err.strip()}"
            )
        return completed

    def _arriving(self) -> Iterator[tuple[bool, bytes]]:
        prefix = self._master.ready()
        self._began = time.monotonic()
        child = Child(
            (*prefix, LOADER),
            stdin=self._sent,
            environ=ENVIRON,
            timeout=self._timeout + GRACE,
        )
        try:
            for event in child.events():
                if not isinstance(event, Ended):  # its code is ssh's; the frames have ours
                    yield event
        except TransportError as error:
            raise TransportError(
                f"no word of {self._command} from {self._route.host} within "
                f"{(self._timeout + GRACE).total_seconds():g} s: is the host frozen?"
            ) from error

    def _not_begun(self) -> str:
        words = decoded(self._err.noise or self._out.noise)
        return f"{self._command} was not started: {explained(words, self._route)}"


def refuse_misspelt(host: str, user: str, port: int) -> None:
    """Keep what would be an option or a second line of ssh's configuration out of it."""
    mistakes = []
    if not _HOST.fullmatch(host):
        mistakes.append(f"{host!r} is no host name or address")
    if not _USER.fullmatch(user):
        mistakes.append(f"{user!r} is no user name")
    if not 0 < port < 65_536:
        mistakes.append(f"{port} is no port")
    if mistakes:
        raise SettingsError(mistakes)
