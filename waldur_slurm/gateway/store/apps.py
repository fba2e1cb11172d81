"""Apps and their managed jobs in the database."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.job import End, ManagedJob, Run, Stage
from waldur_slurm.gateway.store.queries import QUERIES
from waldur_slurm.gateway.store.seconds import moment_of, second
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.understood import understood
from waldur_slurm.model.names import UserName

Rows = list[tuple[Any, ...]]


class StoredApps:
    """`apps.app.Apps`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[App, ...]:
        return tuple(_app(*row) for row in _rows(self._database, "all_apps", {}))

    def find(self, app_id: str) -> App | None:
        rows = _rows(self._database, "app", {"id": app_id})
        return _app(*rows[0]) if rows else None

    def put(self, app: App) -> None:
        row = {
            "id": app.id,
            "name": app.name,
            "made": second(app.made),
            "cross_user": int(app.cross_user),
        }
        _change(self._database, "put_app", row)

    def drop(self, app_id: str) -> bool:
        return _change(self._database, "drop_app", {"id": app_id}) == 1


class StoredJobs:
    """`apps.job.Jobs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: ManagedJob) -> None:
        _change(self._database, "add_app_job", _job_row(job))

    def take_over(self, job: ManagedJob) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(QUERIES["add_app_job"], _job_row(job))
            for run in job.runs:
                connection.execute(QUERIES["add_app_run"], _run_row(job.id, run, ""))
                sent = {"id": run.id, "slurm_id": run.slurm_id}
                connection.execute(QUERIES["note_app_run_submitted"], sent)
                seen = {"id": run.id, "account": run.account, "stdout": run.stdout}
                connection.execute(QUERIES["note_app_run_seen"], seen)

        self._database.write(work)

    def find(self, app_id: str, job_id: str) -> ManagedJob | None:
        def work(connection: sqlite3.Connection) -> tuple[Rows, Rows]:
            wanted = {"app": app_id, "id": job_id, "job": job_id}
            jobs = connection.execute(QUERIES["app_job"], wanted).fetchall()
            return jobs, connection.execute(QUERIES["app_runs"], wanted).fetchall()

        found = _jobs(*self._database.read(work))
        return found[0] if found else None

    def of_app(self, app_id: str) -> Sequence[ManagedJob]:
        def work(connection: sqlite3.Connection) -> tuple[Rows, Rows]:
            wanted = {"app": app_id, "stage": Stage.READY}
            jobs = connection.execute(QUERIES["app_jobs"], wanted).fetchall()
            return jobs, connection.execute(QUERIES["app_runs_of_app"], wanted).fetchall()

        return _jobs(*self._database.read(work))

    def unsettled(self) -> Sequence[ManagedJob]:
        def work(connection: sqlite3.Connection) -> tuple[Rows, Rows]:
            wanted = {"ready": Stage.READY}
            jobs = connection.execute(QUERIES["unsettled_app_jobs"], wanted).fetchall()
            runs: Rows = []
            for row in jobs:
                runs += connection.execute(QUERIES["app_runs"], {"job": row[0]}).fetchall()
            return jobs, runs

        return _jobs(*self._database.read(work))

    def set_stage(self, job_id: str, stage: Stage) -> None:
        _change(self._database, "set_app_job_stage", {"id": job_id, "stage": stage})

    def add_run(self, job_id: str, run: Run, script: str) -> None:
        _change(self._database, "add_app_run", _run_row(job_id, run, script))

    def script_of(self, run_id: str) -> str:
        ((script,),) = _rows(self._database, "app_run_script", {"id": run_id})
        return str(script)

    def drop_run(self, run_id: str) -> None:
        _change(self._database, "drop_app_run", {"id": run_id})

    def note_submitted(self, run_id: str, slurm_id: int) -> None:
        row = {"id": run_id, "slurm_id": slurm_id}
        _change(self._database, "note_app_run_submitted", row)

    def note_seen(self, run_id: str, account: str, stdout: str) -> None:
        row = {"id": run_id, "account": account, "stdout": stdout}
        _change(self._database, "note_app_run_seen", row)

    def note_end(self, run_id: str, end: End) -> None:
        row = {
            "id": run_id,
            "state": end.state,
            "exit_code": end.exit_code,
            "exit_signal": end.exit_signal,
            "began": second(end.began),
            "ended": second(end.ended),
            "reason": end.reason,
        }
        _change(self._database, "note_app_run_end", row)

    def forget(self, job_id: str) -> None:
        _change(self._database, "forget_app_job", {"id": job_id})


def _rows(database: Database, query: str, wanted: Mapping[str, object]) -> Rows:
    def work(connection: sqlite3.Connection) -> Rows:
        return connection.execute(QUERIES[query], wanted).fetchall()

    return database.read(work)


def _change(database: Database, query: str, row: Mapping[str, object]) -> int:
    def work(connection: sqlite3.Connection) -> int:
        return connection.execute(QUERIES[query], row).rowcount

    return database.write(work)


def _job_row(job: ManagedJob) -> dict[str, object]:
    return {
        "id": job.id,
        "app": job.app,
        "user": job.user,
        "uid": job.uid,
        "name": job.name,
        "made": second(job.made),
        "stage": job.stage,
    }


def _run_row(job_id: str, run: Run, script: str) -> dict[str, object]:
    return {
        "id": run.id,
        "job": job_id,
        "number": run.number,
        "asked": second(run.asked),
        "script": script,
    }


@understood
def _app(app_id: str, name: str, made: int, cross_user: int) -> App:
    return App(app_id, name, moment_of(made), cross_user == 1)


def _jobs(jobs: Iterable[tuple[Any, ...]], runs: Iterable[tuple[Any, ...]]) -> list[ManagedJob]:
    by_job: dict[str, list[Run]] = defaultdict(list)
    for row in runs:
        by_job[row[0]].append(_run(*row[1:]))
    return [_job(row, tuple(by_job[row[0]])) for row in jobs]


@understood
def _job(row: tuple[Any, ...], runs: tuple[Run, ...]) -> ManagedJob:
    job_id, app, user, uid, name, made, stage = row
    moment = moment_of(made)
    return ManagedJob(job_id, app, UserName(user), uid, name, moment, Stage(stage), runs)


@understood
def _run(
    run_id: str,
    number: int,
    asked: int,
    slurm_id: int | None,
    account: str,
    stdout: str,
    state: str | None,
    *end: Any,
) -> Run:
    moment = moment_of(asked)
    return Run(run_id, number, moment, slurm_id, account, stdout, _end(state, *end))


def _end(
    state: str | None,
    code: int | None,
    signal: int | None,
    began: int | None,
    ended: int | None,
    reason: str,
) -> End | None:
    if state is None:
        return None
    return End(state, code, signal, moment_of(began), moment_of(ended), reason)
