"""Monitors in the database; what became of one is written down together with its letters."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from waldur_slurm.errors import InvalidName, StateError
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion
from waldur_slurm.gateway.store.letters import add_letter, letters_of
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood
from waldur_slurm.gateway.watch.monitor import (
    Monitor,
    Sight,
    Stage,
    Transition,
    UnreadableMonitor,
)
from waldur_slurm.gateway.watch.port import Turn, Wanted
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.names import UserName

_METHODS = msgspec.json.Decoder(dict[Method, dict[str, str]]).decode
_OCCASIONS = msgspec.json.Decoder(frozenset[Occasion]).decode
_SIGHT = msgspec.json.Decoder(Sight | None).decode
_TASK = msgspec.json.Decoder(dict[str, Any] | None).decode

_NOT_UNDERSTOOD = (msgspec.MsgspecError, InvalidName, ValueError)


def add_monitor(
    connection: sqlite3.Connection, monitor: Monitor, *, among_all: bool = False
) -> bool:
    """Write it down within another write; False: there is one of the same uuid.

    Its owner has that; or, `among_all`, anybody has it for the same user.
    """
    row = _row(monitor)
    if among_all and connection.execute(QUERIES["uuid_of_user"], row).fetchone():
        return False
    return connection.execute(QUERIES["add_monitor"], row).rowcount == 1


def name_job(
    connection: sqlite3.Connection, monitor_id: str, job: JobId, submitted: datetime | None
) -> bool:
    """Say which job its submission made; False: it is gone, or has another one."""
    row = {"id": monitor_id, "job_id": str(job), "submitted": second(submitted)}
    return connection.execute(QUERIES["name_job_of_monitor"], row).rowcount == 1


def drop_monitor(connection: sqlite3.Connection, monitor_id: str) -> bool:
    """Forget it within another write, unless its job is being handed in."""
    return connection.execute(QUERIES["drop_monitor"], {"id": monitor_id}).rowcount == 1


class StoredMonitors:
    """`watch.port.Monitors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, monitor: Monitor, *, among_all: bool = False) -> bool:
        return self._database.write(
            lambda connection: add_monitor(connection, monitor, among_all=among_all)
        )

    def find(self, monitor_id: str) -> Monitor | None:
        rows = self._rows("monitor", {"id": monitor_id})
        found = _readable(rows[0]) if rows else None
        if isinstance(found, UnreadableMonitor):
            raise StateError(f"the record of monitor {found.id} is not understood: {found.reason}")
        return found

    def search(self, wanted: Wanted, limit: int) -> Sequence[tuple[int, Monitor]]:
        row: dict[str, object] = {
            "owner": wanted.owner,
            "users": None if wanted.users is None else json.dumps([*wanted.users]),
            "stage": wanted.stage,
            "state": wanted.state,
            "cluster": wanted.cluster,
            "job_id": wanted.job and str(wanted.job),
            "uuid": wanted.uuid,
            "before": wanted.before,
            "limit": limit,
        }
        found = ((int(each[0]), _readable(each)) for each in self._rows("search_monitors", row))
        return tuple((number, each) for number, each in found if isinstance(each, Monitor))

    def watching(self, cluster: str) -> Sequence[Monitor | UnreadableMonitor]:
        return tuple(map(_readable, self._rows("watching_monitors", {"cluster": cluster})))

    def note(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        def work(connection: sqlite3.Connection) -> Sequence[Turn]:
            return [turn for turn in turns if _note(connection, turn)]

        return self._database.write(work)

    def transitions(self, monitor_id: str) -> Sequence[Transition]:
        rows = self._rows("monitor_transitions", {"monitor": monitor_id})
        return tuple(_transition(*row) for row in rows)

    def letters(self, monitor_id: str) -> Sequence[Letter]:
        return self._database.read(lambda connection: letters_of(connection, monitor_id))

    def drop(self, monitor_id: str) -> bool:
        return self._database.write(lambda connection: drop_monitor(connection, monitor_id))

    def forget(self, before: datetime) -> None:
        row = {"before": second(before)}
        self._database.write(lambda connection: connection.execute(QUERIES["forget_monitors"], row))

    def counts(self) -> Mapping[Stage, int]:
        return {Stage(stage): int(count) for stage, count in self._rows("monitor_counts", {})}

    def _rows(self, query: str, row: dict[str, object]) -> list[tuple[Any, ...]]:
        return self._database.read(
            lambda connection: connection.execute(QUERIES[query], row).fetchall()
        )


def _note(connection: sqlite3.Connection, turn: Turn) -> bool:
    monitor, transition = turn.monitor, turn.transition
    if connection.execute(QUERIES["note_monitor"], _row(monitor)).rowcount == 0:
        return False
    if transition:
        row = {
            "monitor": monitor.id,
            "at": second(transition.at),
            "before": transition.before,
            "state": transition.state,
            "stage": transition.stage,
            "words": transition.words,
        }
        connection.execute(QUERIES["add_monitor_transition"], row)
    for letter in turn.letters:
        add_letter(connection, letter)
    return True


def _row(monitor: Monitor) -> dict[str, object]:
    return {
        "id": monitor.id,
        "owner": monitor.owner,
        "cluster": monitor.cluster,
        "user": monitor.user,
        "made": second(monitor.made),
        "updated": second(monitor.updated),
        "job_id": monitor.job and str(monitor.job),
        "submitted": second(monitor.submitted),
        "state": monitor.state,
        "stage": monitor.stage,
        "methods": _json(monitor.methods),
        "occasions": _json(sorted(monitor.occasions)),
        "told": _json(sorted(monitor.told)),
        "missing_since": second(monitor.missing_since),
        "sight": _json(monitor.sight),
        "uuid": monitor.uuid,
        "task": _json(monitor.task),
    }


def _readable(row: tuple[Any, ...]) -> Monitor | UnreadableMonitor:
    try:
        return _monitor(*row)
    except _NOT_UNDERSTOOD as error:
        return UnreadableMonitor(str(row[1]), str(error))


def _monitor(
    _number: int,
    monitor_id: str,
    owner: str,
    cluster: str,
    user: str,
    made: int,
    updated: int | None,
    job: str | None,
    submitted: int | None,
    state: str,
    stage: str,
    methods: str,
    occasions: str,
    told: str,
    missing_since: int | None,
    sight: str,
    uuid: str,
    task: str,
) -> Monitor:
    return Monitor(
        id=monitor_id,
        owner=owner,
        cluster=cluster,
        user=UserName(user),
        made=moment_of(made),
        updated=moment_of(updated),
        job=None if job is None else job_id(job),
        submitted=moment_of(submitted),
        state=state,
        stage=Stage(stage),
        methods=_METHODS(methods),
        occasions=_OCCASIONS(occasions),
        told=_OCCASIONS(told),
        missing_since=moment_of(missing_since),
        sight=_SIGHT(sight),
        uuid=uuid,
        task=_TASK(task),
    )


@understood
def _transition(at: int, before: str, state: str, stage: str, words: str) -> Transition:
    return Transition(moment_of(at), before, state, Stage(stage), words)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
