"""The real agent in a process of its own, forked from one that has loaded it already.

What it does is the same; what is saved is loading it, which for a short command is most of it.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.places import PROJECT

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.e2e.loaded", __name__])


def run_forked(
    arguments: tuple[str, ...], environ: Mapping[str, str], timeout: float = 120.0
) -> "subprocess.CompletedProcess[str]":
    """Run the agent's command to its end, as `Program.run` does."""
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        process = _FORKS.Process(target=_become, args=(arguments, dict(environ), out, err))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout, out.read_bytes(), err.read_bytes())
        code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


def _become(arguments: tuple[str, ...], environ: dict[str, str], out: Path, err: Path) -> None:
    from waldur_slurm.main import main

    os.environ.clear()  # noqa: TID251 - the whole environment of the command is what it is given
    os.environ.update(environ)  # noqa: TID251 - the same
    os.chdir(PROJECT)
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    sys.exit(main(arguments))
