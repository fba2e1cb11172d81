"""The first original's own database, read once and never written."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from waldur_slurm.errors import StateError


@dataclass(frozen=True, slots=True)
class SlurmerJob:
    """A row as it is; nothing of it is believed yet."""

    id: str
    app: str
    user: str
    name: str
    directory: str
    slurm_id: int


def read_slurmer_jobs(path: Path) -> Sequence[SlurmerJob]:
    """Raises `StateError` for what is not such a database."""
    query = "SELECT id, app_id, user_name, name, directory, slurm_id FROM jobs ORDER BY rowid"
    try:
        place = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(place, uri=True)) as connection:
            rows = connection.execute(query).fetchall()
    except sqlite3.Error as error:
        raise StateError(f"cannot read {path} as Slurmer's database: {error}") from error
    return [_job(*row) for row in rows]


def _job(
    job_id: object, app: object, user: object, name: object, directory: object, slurm_id: object
) -> SlurmerJob:
    return SlurmerJob(
        id=_text(job_id),
        app=_text(app),
        user=_text(user),
        name=_text(name),
        directory=_text(directory),
        slurm_id=_number(slurm_id),
    )


def _text(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell or "")


def _number(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
