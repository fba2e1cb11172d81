"""Waldur from Python: start it, do what customers do, look at what it holds, make it fail.

The server runs in a process of its own that ends with this one, also after kill -9.
"""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from sandbox.waldur import beginning, people, process
from sandbox.waldur.beginning import Setup, Tokens
from sandbox.waldur.consumer import Consumer
from sandbox.waldur.dialects import DialectName
from sandbox.waldur.faults import Fault, clear_faults, set_fault
from sandbox.waldur.holdings import Holdings
from sandbox.waldur.provider import Provider
from sandbox.waldur.server import FAILURES
from sandbox.waldur.store import Store


class Request(NamedTuple):
    method: str
    path: str
    query: str
    status: int
    """0 where the connection was dropped without an answer."""
    role: str


class Waldur(Holdings, Consumer, Provider):
    """A stand-in that is running; a context manager that stops it."""

    def __init__(self, directory: Path, store: Store) -> None:
        super().__init__(store)
        self.directory = directory
        self.port = 0
        self.was_disturbed = False
        """A fault was set at some time: a call may still be hanging in the server."""
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        directory: Path,
        dialect: DialectName = "today",
        setup: Setup | None = None,
        *,
        port: int = 0,
    ) -> Self:
        """A new Waldur in the directory, or the one that was there, as it was."""
        store = beginning.begin(directory, dialect, setup)
        waldur = cls(directory, store)
        waldur.port = port
        waldur.restart()
        return waldur

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def tokens(self) -> Tokens:
        return beginning.tokens_of(self.store)

    @property
    def offering_uuid(self) -> str:
        return self.store.offering_uuid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def dialect(self) -> DialectName:
        return self.store.dialect.name

    @property
    def pid(self) -> int:
        if self._process is None:
            raise process.NotRunning("the server is not running")
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: whatever was under way is lost, whatever was answered is kept."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._process = None

    def restart(self, dialect: DialectName | None = None) -> None:
        """At the same address; with a dialect, as after an upgrade of Waldur."""
        self.kill()
        if dialect is not None:
            self._upgrade(dialect)
        self._process, self.port = process.start_bound(self.directory, self.port)

    def begin_again(self, setup: Setup | None = None) -> None:
        """Everything forgotten, new tokens, the same server: a fresh Waldur in milliseconds."""
        beginning.begin_again(self.store, self.dialect, setup)

    def stop(self) -> None:
        self.kill()
        self.store.close()

    def requests(self) -> list[Request]:
        """Everything asked since the start, or since `forget_requests`."""
        return [
            Request(row["method"], row["path"], row["query"], row["status"], row["role"])
            for row in self.store.rows("SELECT * FROM requests ORDER BY id")
        ]

    def writes(self) -> list[Request]:
        return [one for one in self.requests() if one.method not in ("GET", "HEAD")]

    def forget_requests(self) -> None:
        self.store.run("DELETE FROM requests")

    def failures(self) -> str:
        """Where the stand-in itself broke, which it answers as 500; to be empty always."""
        kept = self.directory / FAILURES
        return kept.read_text() if kept.exists() else ""

    def fault(self, fault: Fault) -> None:
        self.was_disturbed = True
        set_fault(self.store, fault)

    def clear_faults(self) -> None:
        clear_faults(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _upgrade(self, dialect: DialectName) -> None:
        with self.store.transaction():
            offerings = self.store.rows("SELECT * FROM offerings")
            permitted = {one["uuid"]: people.makes_users(self.store, one) for one in offerings}
            self.store.keep_setting("dialect", dialect)
            people.carry_users_option(self.store, permitted)
