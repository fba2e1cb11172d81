"""Tasks in the database, each written down, placed and forgotten together with its monitor."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from waldur_slurm.gateway.store.monitors import add_monitor, name_job
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.tasks.port import Sought, Watched
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.names import UserName

Rows = list[tuple[Any, ...]]


class StoredTasks:
    """`tasks.port.Tasks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(
        self, task: KeptTask, monitor: Monitor, *, among_all: bool = False
    ) -> KeptTask | Watched | None:
        named = {"owner": task.owner, "uuid": task.uuid, "user": task.user}

        def work(connection: sqlite3.Connection) -> KeptTask | Watched | None:
            found = connection.execute(QUERIES["task"], named).fetchone()
            if found:
                return _task(*found)[1]
            if not add_monitor(connection, monitor, among_all=among_all):
                (job,) = connection.execute(QUERIES["monitored_job"], named).fetchone()
                return Watched(None if job is None else job_id(job))
            connection.execute(QUERIES["add_task"], _row(task))
            return None

        return self._database.write(work)

    def close(self, task: KeptTask, placed: Placed) -> None:
        row = {
            "id": task.id,
            "job_id": str(placed.job_id),
            "submitted": second(placed.submitted),
            "work_dir": placed.work_dir,
            "stdout": placed.stdout,
            "stderr": placed.stderr,
        }

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(QUERIES["close_task"], row).rowcount:
                name_job(connection, task.monitor, placed.job_id, placed.submitted)

        self._database.write(work)

    def free(self, task: KeptTask) -> None:
        row = {"id": task.id}
        self._database.write(lambda connection: connection.execute(QUERIES["free_task"], row))

    def unsettled(self) -> Sequence[KeptTask]:
        return tuple(task for _, task in self._tasks("unsettled_tasks", {}))

    def find(self, owner: str, uuid: str) -> KeptTask | None:
        found = self._tasks("task", {"owner": owner, "uuid": uuid})
        return found[0][1] if found else None

    def search(self, sought: Sought, limit: int) -> Sequence[tuple[int, KeptTask]]:
        users = None if sought.users is None else json.dumps([*sought.users])
        row: dict[str, object] = {
            "owner": sought.owner,
            "users": users,
            "cluster": sought.cluster,
            "uuid": sought.uuid,
            "before": sought.before,
            "limit": limit,
        }
        return self._tasks("search_tasks", row)

    def _tasks(self, query: str, row: dict[str, object]) -> Sequence[tuple[int, KeptTask]]:
        def work(connection: sqlite3.Connection) -> Rows:
            return connection.execute(QUERIES[query], row).fetchall()

        return tuple(_task(*each) for each in self._database.read(work))


def _row(task: KeptTask) -> dict[str, object]:
    return {
        "id": task.id,
        "owner": task.owner,
        "uuid": task.uuid,
        "cluster": task.cluster,
        "user": task.user,
        "name": task.name,
        "fingerprint": task.fingerprint,
        "made": second(task.made),
        "monitor": task.monitor,
    }


@understood
def _task(
    number: int,
    task_id: str,
    owner: str,
    uuid: str,
    cluster: str,
    user: str,
    name: str,
    fingerprint: str,
    made: int,
    monitor: str,
    job: str | None,
    submitted: int | None,
    work_dir: str | None,
    stdout: str | None,
    stderr: str | None,
    given: str,
) -> tuple[int, KeptTask]:
    placed = None
    if job is not None:
        at = moment_of(submitted)
        placed = Placed(job_id(job), cluster, at, work_dir, stdout, stderr)
    return number, KeptTask(
        id=task_id,
        owner=owner,
        uuid=uuid,
        cluster=cluster,
        user=UserName(user),
        name=name,
        fingerprint=fingerprint,
        given=json.loads(given),
        made=moment_of(made),
        monitor=monitor,
        placed=placed,
    )
