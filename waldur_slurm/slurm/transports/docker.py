"""Slurm's tools inside a running container, through the Docker engine.

The container is named anew at every command, so one that was replaced is found again. The
time-out is kept inside the container by `timeout`, which ends the whole process group even when
this agent or the engine's connection is gone; the agent itself waits a little longer, no more.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException

from waldur_slurm.errors import CannotStart, TransportError
from waldur_slurm.processes.output import captured, cut_lines
from waldur_slurm.processes.port import Completed

LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
GRACE = timedelta(seconds=10)
CHUNK = 65_536

STDOUT = 1
HEADER = 8

KILLED = 137
CANNOT_START = (125, 126, 127)
STARTERS = ("timeout:", "OCI runtime exec failed", "unable to find user")
"""Who says that a command cannot be started; Slurm's own tools use these exit codes too."""


class DockerTransport:
    """Runs commands in `container`, as `user` or whoever the container is run as.

    `base_url` is where the engine listens.
    """

    def __init__(
        self,
        container: str,
        *,
        user: str = "",
        base_url: str = "unix:///var/run/docker.sock",
        timeout: timedelta = timedelta(minutes=5),
        most_output: int = 256 * 1024 * 1024,
    ) -> None:
        self._container = container
        self._user = user
        self._base_url = base_url
        self._timeout = timeout
        self._most_output = most_output
        self._connected: docker.APIClient | None = None

    def close(self) -> None:
        """Let go of the engine; the next command connects anew."""
        if self._connected is not None:
            self._connected.close()
            self._connected = None

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        execution = self._execution(argv, stdin.encode(), environ, timeout)
        capture = captured(argv[0], self._most_output, execution.output())
        return execution.judged(capture.completed(execution.code()))

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        execution = self._execution(argv, b"", environ, timeout)
        errors = yield from cut_lines(argv[0], self._most_output, execution.output())
        believe(execution.judged(errors.completed(execution.code())))

    def _execution(
        self,
        argv: tuple[str, ...],
        stdin: bytes,
        environ: Mapping[str, str] | None,
        timeout: timedelta | None,
    ) -> "Execution":
        with_locale = {**LOCALE, **(environ or {})}
        allowed = timeout or self._timeout
        return Execution(
            self._api(),
            self._container,
            argv,
            user=self._user,
            stdin=stdin,
            environ=with_locale,
            timeout=allowed,
        )

    def _api(self) -> docker.APIClient:
        if self._connected is None:
            try:
                self._connected = docker.APIClient(
                    base_url=self._base_url, version="auto", timeout=int(GRACE.total_seconds())
                )
            except (DockerException, RequestException) as error:
                raise TransportError(self._unreachable(error)) from error
        return self._connected

    def _unreachable(self, error: BaseException) -> str:
        return f"Docker at {self._base_url}: {_why(error)}"


class Execution:
    """One command in one container, from its start to its exit code."""

    def __init__(
        self,
        api: docker.APIClient,
        container: str,
        argv: tuple[str, ...],
        *,
        user: str,
        stdin: bytes,
        environ: Mapping[str, str],
        timeout: timedelta,
    ) -> None:
        self._api = api
        self._container = container
        self._user = user
        self._argv = argv
        self._stdin = memoryview(stdin)
        self._environ = environ
        self._timeout = timeout
        self._deadline = time.monotonic() + (timeout + GRACE).total_seconds()
        self._id = ""
        self._early = b""

    def output(self) -> Iterator[tuple[bool, bytes]]:
        """Start the command and yield (is stdout, data) until it has ended."""
        with self._started() as connection:
            while header := self._read(connection, HEADER):
                stream, size = header[0], int.from_bytes(header[4:], "big")
                while size:
                    data = self._read(connection, min(size, CHUNK), whole=False)
                    if not data:
                        raise TransportError(self._lost())
                    yield stream == STDOUT, data
                    size -= len(data)

    def code(self) -> int:
        try:
            code = self._api.exec_inspect(self._id)["ExitCode"]
        except (DockerException, RequestException) as error:
            raise TransportError(self._explained(error)) from error
        if code is None:
            raise TransportError(self._lost())
        return int(code)

    def judged(self, completed: Completed) -> Completed:
        """Tell what the wrapping `timeout` and the engine say from what the command says."""
        command = self._argv[0]
        if completed.code == KILLED and time.monotonic() > self._deadline - GRACE.total_seconds():
            raise TransportError(
                f"{command} did not end within {self._timeout.total_seconds():g} s "
                f"in container {self._container} and was killed"
            )
        words = (completed.err or completed.out).strip()
        if completed.code in CANNOT_START and words.startswith(STARTERS):
            raise CannotStart(
                f"{command} cannot be started in container {self._container}: {words}"
            )
        return completed

    @contextmanager
    def _started(self) -> Iterator[socket.socket]:
        limited = ("timeout", "--signal=KILL", f"{self._timeout.total_seconds():g}", *self._argv)
        try:
            self._id = self._api.exec_create(
                self._container,
                limited,
                stdin=bool(self._stdin),
                user=self._user,
                environment=dict(self._environ),
            )["Id"]
        except (DockerException, RequestException) as error:
            raise CannotStart(self._explained(error)) from error
        try:
            raw: Any = self._api.exec_start(self._id, socket=True)
        except (DockerException, RequestException) as error:
            raise TransportError(self._explained(error)) from error
        connection: socket.socket = getattr(raw, "_sock", raw)
        connection.setblocking(False)
        self._early = _came_with_the_headers(raw._response)
        try:
            yield connection
        finally:
            raw._response.close()  # where the SDK keeps it; nobody else would close it
            connection.close()

    def _read(self, connection: socket.socket, size: int, *, whole: bool = True) -> bytes:
        """Read `size` bytes, or up to that many; nothing at the end of the output."""
        data, self._early = self._early[:size], self._early[size:]
        if data and not whole:
            return data
        while len(data) < size:
            try:
                self._wait(connection)
                part = connection.recv(size - len(data))
            except OSError as error:
                raise TransportError(f"{self._lost()}: {error}") from error
            if not part:
                if data and whole:
                    raise TransportError(self._lost())
                break
            data += part
            if not whole:
                break
        return data

    def _wait(self, connection: socket.socket) -> None:
        """Return when there is something to read; feed stdin meanwhile."""
        with selectors.DefaultSelector() as selector:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            selector.register(connection, both if self._stdin else selectors.EVENT_READ)
            while True:
                left = self._deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if not ready:
                    raise TransportError(
                        f"no word of {self._argv[0]} from container {self._container} within "
                        f"{(self._timeout + GRACE).total_seconds():g} s: is the container paused?"
                    )
                if ready[0][1] & selectors.EVENT_WRITE:
                    self._feed(connection)
                    selector.modify(connection, both if self._stdin else selectors.EVENT_READ)
                if ready[0][1] & selectors.EVENT_READ:
                    return

    def _feed(self, connection: socket.socket) -> None:
        """Write some of stdin; at its end close that direction, for which the command waits."""
        sent = connection.send(self._stdin[:CHUNK])
        self._stdin = self._stdin[sent:]
        if not self._stdin:
            connection.shutdown(socket.SHUT_WR)

    def _lost(self) -> str:
        return f"the connection to {self._argv[0]} in container {self._container} broke"

    def _explained(self, error: BaseException) -> str:
        if isinstance(error, NotFound):
            return f"there is no container {self._container}: check its name, or start it"
        if isinstance(error, APIError) and error.explanation:
            return f"container {self._container} cannot be used: {error.explanation}"
        return f"Docker for container {self._container}: {_why(error)}"


def _came_with_the_headers(response: Any) -> bytes:
    """Output that http.client read ahead while it looked for the end of the engine's headers.

    The SDK hands out the socket below that buffer, so this is lost for whoever does not ask: a
    busy machine sees commands that say nothing and exit 0.
    """
    buffered = response.raw._fp.fp
    return bytes(buffered.read(len(buffered.peek())) or b"")


def _why(error: BaseException) -> str:
    """Find what lies at the bottom of the SDK's chain of exceptions, and say what to do."""
    causes = list(_causes(error))
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return "there is no such socket: is the engine installed, and its socket mounted here?"
    if any(isinstance(cause, PermissionError) for cause in causes):
        return "this user may not use the socket: add it to the socket's group"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "nobody listens there: start the engine"
    return f"no answer: {error}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk through causes and through the exceptions that requests keeps as arguments."""
    pending: list[object] = [error]
    for found in pending:
        if isinstance(found, BaseException):
            yield found
            pending += [found.__cause__, found.__context__, *found.args]
            pending.append(getattr(found, "reason", None))
