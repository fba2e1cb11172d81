"""Transitions in the database."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from waldur_slurm.gateway.picture.transitions import Kind, Numbered, Transition
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood


class StoredTransitions:
    """`picture.transitions.Transitions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transitions: Sequence[Transition]) -> tuple[Numbered, ...]:
        def work(connection: sqlite3.Connection) -> tuple[Numbered, ...]:
            return tuple(_added(connection, each) for each in transitions)

        return self._database.write(work)

    def after(self, number: int, limit: int) -> tuple[Numbered, ...]:
        row = {"number": number, "limit": limit}

        def work(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(QUERIES["transitions_after"], row).fetchall()

        return tuple(_numbered(*found) for found in self._database.read(work))

    def bounds(self) -> tuple[int, int]:
        def work(connection: sqlite3.Connection) -> tuple[int, int]:
            lowest, highest = connection.execute(QUERIES["bounds_of_transitions"]).fetchone()
            return int(lowest), int(highest)

        return self._database.read(work)

    def forget(self, before: datetime) -> None:
        row = {"before": second(before)}
        self._database.write(
            lambda connection: connection.execute(QUERIES["forget_transitions"], row)
        )


def _added(connection: sqlite3.Connection, transition: Transition) -> Numbered:
    row = {
        "at": second(transition.at),
        "cluster": transition.cluster,
        "kind": transition.kind.value,
        "job_id": transition.job_id,
        "submitted": second(transition.submitted),
        "user": transition.user,
        "before": transition.before,
        "state": transition.state,
        "is_terminal": transition.is_terminal,
        "outcome": transition.outcome,
    }
    number = connection.execute(QUERIES["add_transition"], row).lastrowid
    return Numbered(number or 0, transition)


@understood
def _numbered(
    number: int,
    at: int,
    cluster: str,
    kind: str,
    job_id: str,
    submitted: int | None,
    user: str,
    before: str,
    state: str,
    is_terminal: int,
    outcome: str,
) -> Numbered:
    transition = Transition(
        at=moment_of(at),
        cluster=cluster,
        kind=Kind(kind),
        job_id=job_id,
        submitted=moment_of(submitted),
        user=user,
        before=before,
        state=state,
        is_terminal=bool(is_terminal),
        outcome=outcome,
    )
    return Numbered(number, transition)
