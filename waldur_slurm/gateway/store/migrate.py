"""Brings a database to the shape that this release knows, one numbered file after the other.

The files are `migrations/NNNN_what.sql`, numbered from 1 without a gap; a released one is never
changed. SQLite of 3.26 has to understand them: no STRICT, no RETURNING.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import NamedTuple

from waldur_slurm.errors import StateError

_FILE = re.compile(r"(\d{4})_[a-z_]+\.sql")


class Migration(NamedTuple):
    number: int
    text: str


def packaged() -> tuple[Migration, ...]:
    """Read the files that came with this release, in their order."""
    folder = files("waldur_slurm.gateway.store") / "migrations"
    return tuple(
        Migration(int(match[1]), file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if (match := _FILE.fullmatch(file.name))
    )


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Do what was not done yet, all or nothing; raises `StateError` for a database from later on.

    Two processes may try at once: whoever comes second finds it done.
    """
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = _version(connection)
        if found > len(migrations):
            raise StateError(
                f"a later release wrote it: its shape is number {found}, and this one knows"
                f" {len(migrations)}; install that release again, or put a backup in its place"
            )
        for migration in migrations[found:]:
            for statement in _statements(migration.text):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def _statements(text: str) -> Iterator[str]:
    """Cut where SQLite says that a statement is whole; its own script runner commits on its own."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
