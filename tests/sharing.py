"""What one worker of a test run makes, and the others use."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a place which `make` has filled: once in a test run, however many workers ask.

    Nobody may change what is there. Whoever comes while it is made waits; who fails leaves nothing.
    """
    own = factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ  # noqa: TID251 - told by who started this process
    place = (own.parent if is_worker else own) / f"shared-{name}"
    done = place.with_name(f"{place.name}.done")
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place)
            done.touch()
    return place
