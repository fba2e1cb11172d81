"""The state on disk: one SQLite file that the server and the consumer's side open at once.

Whatever a committed transaction wrote is there after a kill; nothing is kept in memory.
"""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox.waldur.dialects import DIALECTS, Dialect
from sandbox.waldur.schema import JSON_COLUMNS, SCHEMA

Record = dict[str, Any]


class Store:
    """One connection, used by one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "waldur.sqlite"
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(
            self.path, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = _as_record
        self._db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing this way; only a power cut could.
        self._db.execute("PRAGMA synchronous=OFF")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def create_tables(self) -> None:
        self._db.executescript(SCHEMA)

    def empty(self) -> None:
        """No row in any table; the tables stay, for whoever has them open."""
        for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
            self.run(f"DELETE FROM {row['name']}")

    @property
    def is_new(self) -> bool:
        return self.find("SELECT 1 FROM sqlite_master WHERE name = 'settings'") is None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens wholly or not at all, and nobody sees it half done."""
        with self._lock:
            if self._depth:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    def find(self, sql: str, *args: Any) -> Record | None:
        with self._lock:
            row: Record | None = self._db.execute(sql, args).fetchone()
            return row

    def rows(self, sql: str, *args: Any) -> list[Record]:
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    def rows_named(self, sql: str, values: Record) -> list[Record]:
        """Rows, with `:name` bound by name."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *args: Any) -> int:
        """How many rows it touched."""
        with self._lock:
            return self._db.execute(sql, args).rowcount

    def named(self, table: str, uuid: str) -> Record:
        """The row that must be there."""
        found = self.find(f"SELECT * FROM {table} WHERE uuid = ?", uuid)
        if found is None:
            raise LookupError(f"no {uuid} in {table}")
        return found

    def insert(self, table: str, **columns: Any) -> Record:
        columns.setdefault("uuid", uuid4().hex)
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        with self._lock:
            self._db.execute(sql, [_stored(value) for value in columns.values()])
        return self.named(table, columns["uuid"])

    def insert_many(self, table: str, rows: list[Record]) -> None:
        if not rows:
            return
        names = ", ".join(rows[0])
        marks = ", ".join("?" * len(rows[0]))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        with self._lock:
            self._db.executemany(sql, [[_stored(value) for value in row.values()] for row in rows])

    def update(self, table: str, uuid: str, **columns: Any) -> None:
        settings = ", ".join(f"{name} = ?" for name in columns)
        values = [_stored(value) for value in columns.values()]
        with self._lock:
            self._db.execute(
                f"UPDATE {table} SET {settings} WHERE uuid = ?",
                [*values, uuid],
            )

    def setting(self, key: str, otherwise: Any = None) -> Any:
        found = self.find("SELECT value FROM settings WHERE key = ?", key)
        return otherwise if found is None else found["value"]

    def keep_setting(self, key: str, value: Any) -> None:
        self.run(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            key,
            json.dumps(value),
        )

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.setting("dialect")]

    @property
    def offering_uuid(self) -> str:
        uuid: str = self.setting("offering")
        return uuid

    def now(self) -> datetime:
        """The time by this Waldur's clock, which tests may set and which goes on running."""
        return datetime.now(UTC) + timedelta(seconds=self.setting("clock_offset", 0))

    def stamp(self) -> str:
        return stamp_of(self.now())

    def slug(self, table: str, name: str) -> str:
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:8]
        sql = f"SELECT COUNT(*) AS n FROM {table} WHERE slug LIKE ? || '-%'"
        found = self.find(sql, stem)
        return f"{stem}-{(found or {'n': 0})['n'] + 1}"


def stamp_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def real_time() -> float:
    """Seconds that no setting of the clock moves: how long things take."""
    return time.time()


def _as_record(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Record:
    record = {}
    for (name, *_), value in zip(cursor.description, row, strict=True):
        is_json = name in JSON_COLUMNS and value is not None
        record[name] = json.loads(value) if is_json else value
    return record


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value
