"""Agents from PyPI, each in an environment of its own, kept for the next run.

Rule: nothing of them enters this tree, and nothing of this tree can be imported there.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.outcome import CannotRun
from sandbox.slurm.keeping import locked
from tests.places import PROJECT

CACHE = PROJECT / ".cache" / "peers"
PATIENCE_S = 300.0


def python_of(requirements: tuple[str, ...]) -> Path:
    """Return the Python that can import them; install what is not there yet."""
    place = CACHE / "-".join(requirements).replace("==", "-")
    python, complete = place / "bin" / "python", place / "complete"
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked(CACHE / "lock", PATIENCE_S):
        if not complete.exists():
            shutil.rmtree(place, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(place))
            _run(str(python), "-m", "pip", "install", "--quiet", *requirements)
            complete.touch()
    return python


def _run(*argv: str) -> None:
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise CannotRun(f"not installed within {PATIENCE_S:g} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CannotRun(f"cannot be installed: {said[-1] if said else done.returncode}")
