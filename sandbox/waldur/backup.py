"""A backup of what Waldur holds, and its return: a database that was restored from yesterday."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from typing import Any

from sandbox.waldur.store import Store

Tables = dict[str, list[tuple[Any, ...]]]

NOT_HELD = frozenset({"faults", "requests", "settings"})
"""The stand-in's own: its clock, its fault switch, its log."""


def back_up(store: Store) -> Tables:
    with closing(sqlite3.connect(store.path)) as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        held = [name for (name,) in tables if name not in NOT_HELD]
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in held}


def restore(store: Store, tables: Tables, only: Collection[str] = ()) -> None:
    """Bring back everything, or `only` some tables, in one transaction."""
    with closing(sqlite3.connect(store.path, timeout=60)) as db, db:
        for name, rows in tables.items():
            if not only or name in only:
                db.execute(f"DELETE FROM {name}")
                for row in rows:
                    places = ", ".join("?" for _ in row)
                    db.execute(f"INSERT INTO {name} VALUES ({places})", row)
