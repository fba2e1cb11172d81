"""The demo's directory: open to Slurm's jobs, and removed with all that is in it.

Rule: whoever uses one holds its lock; one that nobody holds was left by a kill and may go.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.slurm.keeping import is_locked, locked

PREFIX = "waldur-slurm-demo-"
LOCK = "lock"


@contextmanager
def own_directory() -> Iterator[Path]:
    _remove_abandoned()
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with locked(directory / LOCK, 1.0):
            directory.chmod(0o755)  # jobs read Slurm's configuration as their own users
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _remove_abandoned() -> None:
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = place / LOCK
        if place.lstat().st_uid == os.geteuid() and lock.exists() and not is_locked(lock):
            shutil.rmtree(place, ignore_errors=True)
