"""Sessions of browsers in the database."""

import json
import sqlite3
from typing import Any

from waldur_slurm.gateway.doors.sessions import Session
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood


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
            "made": second(session.made),
            "ends": second(session.ends),
            "token": session.token_id,
            "claims": json.dumps(session.claims),
        }
        self._database.write(lambda connection: connection.execute(QUERIES["add_session"], row))

    def drop(self, digests: tuple[bytes, ...]) -> None:
        rows = [{"digest": each} for each in digests]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(QUERIES["drop_session"], rows)

        self._database.write(work)


@understood
def _session(digest: bytes, made: int, ends: int, token: str, claims: str) -> Session:
    return Session(
        digest,
        moment_of(made),
        moment_of(ends),
        token,
        json.loads(claims),
    )
