"""Sessions of browsers in the database."""

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from waldur_slurm.gateway.doors.sessions import Session
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.sqlite import Database


class StoredSessions:
    """`doors.sessions.Sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[Session, ...]:
        def work(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(QUERIES["all_sessions"]).fetchall()

        return tuple(_session(*row) for row in self._database.read(work))

    def add(self, session: Session) -> None:
        row = {
            "digest": session.digest,
            "made": int(session.made.timestamp()),
            "ends": int(session.ends.timestamp()),
            "token": session.token_id,
            "claims": json.dumps(session.claims),
        }
        self._database.write(lambda connection: connection.execute(QUERIES["add_session"], row))

    def drop(self, digests: tuple[bytes, ...]) -> None:
        rows = [{"digest": each} for each in digests]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(QUERIES["drop_session"], rows)

        self._database.write(work)


def _session(digest: bytes, made: int, ends: int, token: str, claims: str) -> Session:
    return Session(
        digest,
        datetime.fromtimestamp(made, UTC),
        datetime.fromtimestamp(ends, UTC),
        token,
        json.loads(claims),
    )
