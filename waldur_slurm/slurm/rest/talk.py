"""One slurmrestd: asked over its socket or by HTTP, in the newest version that both sides know."""

import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple

from waldur_slurm.errors import CannotStart, SlurmError, TransportError
from waldur_slurm.slurm.rest.grammar.address import Address

VERSIONS = (45, 44, 43, 42, 41, 40, 38)
"""Versions of the API, as in `/slurm/v0.0.45`: 22.05 serves 38, 24.11 40 to 42, 26.05 42 to 45."""

MOST_ANSWER = 1024 * 1024 * 1024


class Login(NamedTuple):
    """Whose token it is; Slurm itself made it."""

    user: str
    token: str


class Answer(NamedTuple):
    status: int
    said: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300


class NotAuthentic(SlurmError):
    """slurmrestd does not take the token."""


class Rest:
    """Each question is a connection of its own: slurmrestd keeps none open for long."""

    def __init__(
        self, address: Address, *, timeout: timedelta, versions: Sequence[int] = VERSIONS
    ) -> None:
        self.address = address
        self._versions = versions
        self._timeout_s = timeout.total_seconds()
        self._version: int | None = None

    def version(self, login: Login) -> int:
        """Find the newest version that it serves; asked once."""
        if self._version is None:
            served = (version for version in self._versions if self._serves(version, login))
            self._version = next(served, None)
        if self._version is None:
            known = ", ".join(f"v0.0.{version}" for version in self._versions)
            raise CannotStart(f"slurmrestd at {self.address} serves none of {known}")
        return self._version

    def ask(
        self,
        method: str,
        path: str,
        login: Login,
        body: Mapping[str, object] | None = None,
        service: str = "slurm",
    ) -> Answer:
        """Raises `CannotStart` where it was not reached, `TransportError` where it fell silent."""
        return self._ask(method, f"/{service}/v0.0.{self.version(login)}{path}", login, body)

    def _serves(self, version: int, login: Login) -> bool:
        return self._ask("GET", f"/slurm/v0.0.{version}/ping", login, None).status != 404

    def _ask(
        self, method: str, path: str, login: Login, body: Mapping[str, object] | None
    ) -> Answer:
        headers = {"X-SLURM-USER-NAME": login.user, "X-SLURM-USER-TOKEN": login.token}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        with closing(self._connection()) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise CannotStart(f"slurmrestd at {self.address}: {error}") from error
            try:
                connection.request(method, path, content, headers)
                response = connection.getresponse()
                data = response.read(MOST_ANSWER)
            except (OSError, HTTPException) as error:
                raise TransportError(f"slurmrestd at {self.address}: {error!r}") from error
        return self._answer(response.status, data)

    def _answer(self, status: int, data: bytes) -> Answer:
        if status == 401:
            raise NotAuthentic(f"slurmrestd at {self.address} does not take the token")
        try:
            said = json.loads(data) if data else {}
        except ValueError:
            said = {"errors": [{"error": data[:300].decode("utf-8", "replace")}]}
        return Answer(status, said if isinstance(said, dict) else {})

    def _connection(self) -> HTTPConnection:
        if self.address.socket:
            return _SocketConnection(self.address.socket, self._timeout_s)
        made = HTTPSConnection if self.address.is_tls else HTTPConnection
        return made(self.address.host, self.address.port, timeout=self._timeout_s)


class _SocketConnection(HTTPConnection):
    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
