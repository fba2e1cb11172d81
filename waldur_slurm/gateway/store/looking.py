"""Looks at a database without writing to it, or leaving any file beside it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.store.migrate import packaged
from waldur_slurm.gateway.store.queries import QUERIES

BUSY_S = 5.0


@dataclass(frozen=True, slots=True)
class Looked:
    """`shape` is the number of the last migration that it went through, `known` of our last one."""

    shape: int
    known: int
    valid_tokens: int


def look_at_database(path: Path, now_s: int) -> Looked | None:
    """Say what is there; None where nothing is. Raises `StateError` where it is not sound."""
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(_address(path), uri=True, timeout=BUSY_S)) as connection:
            (shape,) = connection.execute("PRAGMA user_version").fetchone()
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StateError(f"{path} is damaged: {verdict}")
            valid = _valid_tokens(connection, now_s) if shape else 0
    except sqlite3.Error as error:
        raise StateError(f"{path}: {error}") from error
    known = len(packaged())
    if shape > known:
        raise StateError(
            f"{path}: a later release wrote it: its shape is number {shape}, and this one knows"
            f" {known}"
        )
    return Looked(shape, known, valid)


def _address(path: Path) -> str:
    """Whoever reads beside a gateway uses its files; where none is open nothing may be made."""
    is_open = path.with_name(f"{path.name}-wal").exists()
    return f"{path.absolute().as_uri()}?mode=ro{'' if is_open else '&immutable=1'}"


def _valid_tokens(connection: sqlite3.Connection, now_s: int) -> int:
    (count,) = connection.execute(QUERIES["count_valid_tokens"], {"now": now_s}).fetchone()
    return int(count)
