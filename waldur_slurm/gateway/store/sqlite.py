"""One SQLite file: one thread writes, whoever asks reads, and nobody is told "done" before it is.

A piece of work is a function of a connection. It runs in a transaction of its own: whole, or, where
it raises, not at all. A write returns once it would survive a loss of power.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.store.migrate import Migration, migrate, packaged
from waldur_slurm.gateway.store.place import ensure_own

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_S = 5.0
"""How long another process, such as a command that makes a token, may hold it."""

_ADVICE = {
    sqlite3.SQLITE_FULL: "its disk is full; make room there",
    sqlite3.SQLITE_BUSY: "another process holds it; end what reads or copies it",
    sqlite3.SQLITE_LOCKED: "another process holds it; end what reads or copies it",
    sqlite3.SQLITE_READONLY: "it may only be read; give it, and its folder, to the gateway's user",
    sqlite3.SQLITE_PERM: "it may not be opened; give it, and its folder, to the gateway's user",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; look at the owner and mode of it and its folder",
    sqlite3.SQLITE_IOERR: "the disk does not read or write it; look at `df` and the kernel's log",
    sqlite3.SQLITE_CORRUPT: "it is damaged; stop the gateway and put a backup in its place",
    sqlite3.SQLITE_NOTADB: "it is no database; stop the gateway and put a backup in its place",
}
"""What a person does about it. Whatever else SQLite may say is a defect of ours."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_NO_TEXT = "Could not decode to UTF-8"
"""What is said, without a code, of text that was not written as it is now."""


class Database:
    """Nothing is opened before it is first needed. `close` lets what is asked already end.

    One that is found to be damaged is neither read nor written any more, whatever of it may still
    be whole: an index that misses a key would make a second job. `on_damage` hears of it once.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration] | None = None,
        *,
        busy_s: float = BUSY_S,
        on_damage: Callable[[str], None] = lambda _why: None,
    ) -> None:
        self.path = path
        self._on_damage = on_damage
        self._damage = ""
        self._migrations = migrations
        self._busy_s = busy_s
        self._lock = Lock()
        self._is_prepared = False
        self._is_closed = False
        self._idle: list[sqlite3.Connection] = []
        self._asked: SimpleQueue[tuple[Work[Any], Future[Any]] | None] = SimpleQueue()
        self._writer: Thread | None = None

    def write(self, work: Work[T]) -> T:
        """Do it in the order in which it was asked, and return once it is safe on the disk."""
        done: Future[T] = Future()
        with self._lock:
            self._refuse_ended()
            if self._writer is None:
                self._writer = Thread(target=self._write_all, name="store", daemon=True)
                self._writer.start()
            self._asked.put((work, done))
        return done.result()

    def read(self, work: Work[T]) -> T:
        """Read from one moment's state, beside whatever is written; writing is refused."""
        with self._lock:
            self._refuse_ended()
            idle = self._idle.pop() if self._idle else None
        with self._told():
            connection = idle or self._connect(is_reader=True)
            try:
                return _within("BEGIN", connection, work)
            finally:
                self._put_back(connection)

    def close(self) -> None:
        """Refuse what comes from now on, and wait for what is asked already.

        The writer closes last: only it can bring what was written into the one file that is left.
        """
        with self._lock:
            self._is_closed = True
            writer, self._writer = self._writer, None
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        if writer:
            self._asked.put(None)
            writer.join()

    def _write_all(self) -> None:
        connection: sqlite3.Connection | None = None
        while asked := self._asked.get():
            work, done = asked
            try:
                self._refuse_damaged()
                with self._told():
                    connection = connection or self._connect(is_reader=False)
                    result = _within("BEGIN IMMEDIATE", connection, work)
            except BaseException as error:  # noqa: BLE001 - whoever asked is told, and only he
                done.set_exception(error)
            else:
                done.set_result(result)
        if connection:
            connection.close()

    def _connect(self, *, is_reader: bool) -> sqlite3.Connection:
        self._prepare()
        place = f"{self.path.absolute().as_uri()}?mode={'ro' if is_reader else 'rw'}"
        return self._opened(place)

    def _prepare(self) -> None:
        """Make the file for its owner only, and bring it to its shape."""
        with self._lock:
            if self._is_prepared:
                return
            ensure_own(self.path.parent)
            _make_private(self.path)
            connection = self._opened(f"{self.path.absolute().as_uri()}?mode=rw")
            try:
                _demand_whole(connection)
                self._demand_wal(connection)
                migrate(connection, packaged() if self._migrations is None else self._migrations)
            finally:
                connection.close()
            self._is_prepared = True

    def _opened(self, place: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            place,
            uri=True,
            timeout=self._busy_s,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _demand_wal(self, connection: sqlite3.Connection) -> None:
        """Demand that readers and the writer do not wait for each other; NFS cannot do it."""
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StateError("its file system has no shared memory; keep it on a local disk")

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(connection)
                return
        connection.close()

    def _refuse_ended(self) -> None:
        if self._is_closed:
            raise StateError(f"{self.path} is closed: the gateway ends")
        self._refuse_damaged()

    def _refuse_damaged(self) -> None:
        if self._damage:
            raise StateError(self._damage)

    def _note_damage(self, words: str) -> None:
        with self._lock:
            is_new, self._damage = not self._damage, words
        if is_new:
            self._on_damage(words)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say which file it is, what is wrong with it and what to do."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            code = _code_of(error)
            if code not in _ADVICE:
                raise
            words = f"{self.path}: {error}: {_ADVICE[code]}; nothing was written"
            if code in _DAMAGED:
                self._note_damage(words)
            raise StateError(words) from error
        except StateError as error:
            raise StateError(f"{self.path}: {error}") from error


def _code_of(error: sqlite3.Error | UnicodeDecodeError) -> int:
    """Text that is none is damage, be it a row's or, within SQLite's own words, a table's name."""
    if isinstance(error, UnicodeDecodeError) or str(error).startswith(_NO_TEXT):
        return sqlite3.SQLITE_CORRUPT
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _demand_whole(connection: sqlite3.Connection) -> None:
    """Look at every page, which takes some 2 ms a megabyte: what is read later may be elsewhere."""
    (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        error = sqlite3.DatabaseError(verdict)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _within(begin: str, connection: sqlite3.Connection, work: Work[T]) -> T:
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return result


def _make_private(path: Path) -> None:
    """Make the empty file before SQLite does, which would let others read it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StateError(f"cannot be opened: {error.strerror}") from error
