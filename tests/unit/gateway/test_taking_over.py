"""`import slurmer config.yml slurmer.db`: its apps by the file, its jobs by the database, once."""

import pwd
import sqlite3
from pathlib import Path

import pytest

from waldur_slurm.gateway.main import main

APP = "a9a5fc66-9bed-4a13-874a-d8d7d1756224"
KNOWN, SENT = "4a0eb4bf-845f-44c3-9253-9e214bf5031f", "b617b6f3-1f14-49d0-8628-29d86794fd8f"
CONFIG = """\
slurmer:
  working_dir: {working}
  applications: [{{name: app1, token: averycomplicatedchallenge, uuid: {app}}}]
"""
TABLE = (
    "CREATE TABLE jobs (name TEXT, status INTEGER, user_name TEXT, id TEXT, slurm_id INTEGER,"
    " directory TEXT, app_id TEXT, PRIMARY KEY (id))"
)


def files(tmp_path: Path, *rows: tuple[object, ...]) -> list[str]:
    config, database = tmp_path / "config.yml", tmp_path / "slurmer.db"
    config.write_text(CONFIG.format(working=tmp_path / "slurmer", app=APP))
    with sqlite3.connect(database) as connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return [str(config), str(database)]


def row(
    job: str, *, user: str = "", slurm_id: int = 0, app: str = APP, place: str = ""
) -> tuple[object, ...]:
    somebody = user or pwd.getpwuid(1).pw_name
    return ("name", 1, somebody, job, slurm_id, place or f"applications/{app}/jobs/{job}", app)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY_STATE_DIR", "GATEWAY_APPS_DIR", "GATEWAY_LISTEN"):
        monkeypatch.delenv(name, raising=False)


def said(tmp_path: Path, capsys: pytest.CaptureFixture[str], *typed: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", {"PATH": "/usr/bin:/bin"})
        code = main(["import", "slurmer", *typed])
    heard = capsys.readouterr()
    assert code == 0, heard.err
    return heard.out


def test_jobs_are_taken_over_once_and_what_is_not_understood_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = files(
        tmp_path,
        row(KNOWN),
        row(SENT, slurm_id=12),
        row("no uuid"),
        row("10e9f68d-181e-490f-8625-e918f22a958c", user="nosuchuser"),
        row("db2c7aeb-150b-4ec4-966d-8320469787fd", place="/etc"),
        row("35050e0c-aba9-4dc8-8709-83223719ff3e", app=KNOWN),
    )
    before = (tmp_path / "slurmer.db").read_bytes()

    assert said(tmp_path, capsys, *typed).startswith(
        "2 jobs taken over, 0 were there already, 4 not"
    )
    assert said(tmp_path, capsys, *typed).startswith("0 jobs taken over, 2 were there already")
    assert (tmp_path / "slurmer.db").read_bytes() == before
    state = tmp_path / "slurmer" / "gateway" / "gateway.sqlite"
    with sqlite3.connect(state) as connection:
        runs = connection.execute("SELECT job, slurm_id, stdout FROM app_runs").fetchall()
        apps = connection.execute("SELECT id, name FROM apps").fetchall()
    connection.close()
    place = tmp_path / "slurmer" / "applications" / APP / "jobs" / SENT
    assert runs == [(SENT, 12, f"{place}/slurm-12.out")]
    assert apps == [(APP, "app1")]
    assert b"averycomplicatedchallenge" not in state.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no database at all, whatever it may be"])
def test_what_is_no_database_of_slurmers_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    config, database = files(tmp_path)
    Path(database).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", {"PATH": "/usr/bin:/bin"})
        code = main(["import", "slurmer", config, database])

    assert code != 0
    assert "as Slurmer's database" in capsys.readouterr().err
