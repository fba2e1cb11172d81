"""Attempts to hand in jobs in the database."""

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime
from typing import Any

from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.names import UserName


class StoredJournal:
    """`submits.port.Journal`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, attempt: Attempt) -> Attempt | None:
        row = _row(attempt)

        def work(connection: sqlite3.Connection) -> tuple[Any, ...] | None:
            if connection.execute(QUERIES["open_submit"], row).rowcount == 1:
                return None
            found: tuple[Any, ...]
            found = connection.execute(QUERIES["submit_in_the_way"], row).fetchone()
            return found

        in_the_way = self._database.write(work)
        return None if in_the_way is None else _attempt(*in_the_way)

    def find(self, key: Key) -> Attempt | None:
        row = self._database.read(
            lambda connection: connection.execute(QUERIES["submit_of_key"], _named(key)).fetchone()
        )
        return None if row is None else _attempt(*row)

    def reopen(self, key: Key, opened: datetime, doubt_until: datetime) -> None:
        times = {"opened": second(opened), "doubt_until": second(doubt_until)}
        self._change("reopen_submit", {**_named(key), **times})

    def place(self, key: Key, placed: Placed) -> None:
        row = {
            "job_id": str(placed.job_id),
            "submitted": second(placed.submitted),
            "work_dir": placed.work_dir,
            "stdout": placed.stdout,
            "stderr": placed.stderr,
        }
        self._change("place_submit", {**_named(key), **row})

    def free(self, key: Key) -> None:
        self._change("free_submit", _named(key))

    def unsettled(self) -> tuple[Attempt, ...]:
        rows = self._database.read(
            lambda connection: connection.execute(QUERIES["open_submits"]).fetchall()
        )
        return tuple(_attempt(*row) for row in rows)

    def known(self, attempt: Attempt) -> frozenset[JobId]:
        def work(connection: sqlite3.Connection) -> list[tuple[str]]:
            return connection.execute(QUERIES["jobs_of_mark"], _row(attempt)).fetchall()

        return frozenset(job_id(text) for (text,) in self._database.read(work))

    def marked(self, cluster: str, marks: Collection[str]) -> tuple[Attempt, ...]:
        wanted = {"cluster": cluster, "marks": json.dumps([*marks])}

        def work(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(QUERIES["submits_of_marks"], wanted).fetchall()

        return tuple(_attempt(*row) for row in self._database.read(work))

    def job_of(self, cluster: str, job: JobId, submitted: datetime) -> Placed | None:
        row = {"cluster": cluster, "job_id": str(job), "submitted": second(submitted)}
        found = self._database.read(
            lambda connection: connection.execute(QUERIES["submit_of_job"], row).fetchone()
        )
        return None if found is None else _attempt(*found).placed

    def forget(self, before: datetime) -> None:
        self._change("forget_submits", {"before": second(before)})

    def _change(self, query: str, row: dict[str, object]) -> None:
        self._database.write(lambda connection: connection.execute(QUERIES[query], row))


def _named(key: Key) -> dict[str, object]:
    return {"owner": key.owner, "key": key.text}


def _row(attempt: Attempt) -> dict[str, object]:
    return {
        **_named(attempt.key),
        "cluster": attempt.cluster,
        "user": attempt.user,
        "fingerprint": attempt.fingerprint,
        "mark": attempt.mark,
        "opened": second(attempt.opened),
        "doubt_until": second(attempt.doubt_until),
        "may_wait": attempt.may_wait,
    }


@understood
def _attempt(
    owner: str,
    key: str,
    cluster: str,
    user: str,
    fingerprint: str,
    mark: str,
    opened: int,
    doubt_until: int,
    may_wait: int,
    job: str | None,
    submitted: int | None,
    work_dir: str | None,
    stdout: str | None,
    stderr: str | None,
) -> Attempt:
    placed = None
    if job is not None:
        at = moment_of(submitted)
        placed = Placed(job_id(job), cluster, at, work_dir, stdout, stderr)
    return Attempt(
        key=Key(owner, key),
        cluster=cluster,
        user=UserName(user),
        fingerprint=fingerprint,
        mark=mark,
        opened=moment_of(opened),
        doubt_until=moment_of(doubt_until),
        may_wait=bool(may_wait),
        placed=placed,
    )
