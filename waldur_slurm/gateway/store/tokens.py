"""Tokens in the database."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from waldur_slurm.gateway.doors.principals import OneJob, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import Changed, Token
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood


class StoredTokens:
    """`doors.tokens.Tokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, generation: int) -> Changed:
        def work(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(
                QUERIES["tokens_since"], {"generation": generation}
            ).fetchall()

        rows = self._database.read(work)
        last = rows[-1][-1] if rows else generation
        return Changed(last, tuple(_token(*row[:-1]) for row in rows))

    def add(self, token: Token) -> None:
        row = {
            "id": token.id,
            "digest": token.digest,
            "name": token.name,
            "scopes": " ".join(sorted(token.scopes)),
            "run_as": str(token.run_as),
            "made": second(token.made),
            "ends": second(token.ends),
            "app": token.app,
            "cluster": token.job.cluster if token.job else None,
            "job": token.job.number if token.job else None,
            "submitted": second(token.job.submitted if token.job else None),
        }
        self._database.write(lambda connection: connection.execute(QUERIES["add_token"], row))

    def end(self, token_id: str, at: datetime) -> bool:
        return self._end(token_id, at, is_revoked=False)

    def revoke(self, token_id: str, at: datetime) -> bool:
        return self._end(token_id, at, is_revoked=True)

    def _end(self, token_id: str, at: datetime, *, is_revoked: bool) -> bool:
        row = {"id": token_id, "at": second(at), "revoked": is_revoked}

        def work(connection: sqlite3.Connection) -> bool:
            return connection.execute(QUERIES["end_token"], row).rowcount == 1

        return self._database.write(work)

    def forget(self, before: datetime, jobs_before: datetime) -> tuple[str, ...]:
        """Keep the one that changed last: the next change is numbered after it."""
        moments = {"before": second(before), "jobs_before": second(jobs_before)}

        def work(connection: sqlite3.Connection) -> tuple[str, ...]:
            found = connection.execute(QUERIES["tokens_over"], moments)
            over = tuple(row[0] for row in found.fetchall())
            connection.executemany(QUERIES["forget_token"], [{"id": each} for each in over])
            return over

        return self._database.write(work)

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        rows = [{"id": token_id, "at": second(at)} for token_id, at in uses.items()]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(QUERIES["note_use"], rows)

        self._database.write(work)


@understood
def _token(
    token_id: str,
    digest: bytes,
    name: str,
    scopes: str,
    run_as_text: str,
    made: int,
    ends: int | None,
    last_used: int | None,
    cluster: str | None,
    job: int | None,
    submitted: int | None,
    app: str,
    revoked: int,
) -> Token:
    """Read a row. A scope that this release does not know any more allows nothing."""
    known = frozenset(map(str, Scope))
    return Token(
        id=token_id,
        digest=digest,
        name=name,
        scopes=frozenset(Scope(word) for word in scopes.split() if word in known),
        run_as=run_as(run_as_text),
        made=moment_of(made),
        ends=moment_of(ends),
        last_used=moment_of(last_used),
        app=app,
        job=_job(cluster, job, submitted),
        is_revoked=bool(revoked),
    )


def _job(cluster: str | None, number: int | None, submitted: int | None) -> OneJob | None:
    if cluster is None or number is None or submitted is None:
        return None
    return OneJob(cluster, number, moment_of(submitted))
