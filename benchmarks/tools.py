"""Slurm's tools in a directory of their own, where each call writes down what it took.

The agent is pointed there (`SLURM_BIN_PATH`), the bare commands of the floors go the same way, and
the peers find it first in PATH: all are counted by the same hand, and pay the same millisecond.
"""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.slurm.cache import cached
from tests.e2e.program import TOOLS

SOURCE = Path(__file__).parent / "tell.c"
TOLD = "told"
SEPARATOR = "\x1f"
SYSTEM = Path("/usr/bin")


class CommandFailed(Exception):
    """A bare command that a floor needs did not end well."""


@dataclass(frozen=True)
class Command:
    """One call of a tool: what was asked, the most memory it held, and how long it took.

    `ended` is a moment of `time.monotonic`.
    """

    argv: tuple[str, ...]
    megabytes: float
    seconds: float
    ended: float

    @property
    def tool(self) -> str:
        return Path(self.argv[0]).name


class Tools:
    """The tools of `where`, as they are called from `directory`."""

    def __init__(self, directory: Path, where: Path = SYSTEM, names: Sequence[str] = TOOLS) -> None:
        self.bin_path = directory
        self._file = directory / TOLD
        directory.mkdir()
        for name in names:
            script = directory / name
            script.write_text(f'#!/bin/sh\nexec {_teller()} {self._file} {where / name} "$@"\n')
            script.chmod(0o755)

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def told(self) -> list[Command]:
        """What was called since the beginning, or since `forget`, in the order of the ends."""
        text = self._file.read_text() if self._file.exists() else ""
        return [_command(line) for line in text.splitlines()]

    def run(self, argv: Sequence[str], environ: Mapping[str, str], said: str = "") -> None:
        """Run one as the agent would, with `said` on its stdin, its output read by nobody."""
        done = subprocess.run(
            (self.bin_path / argv[0], *argv[1:]),
            input=said,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(environ),
            text=True,
        )
        if done.returncode:
            raise CommandFailed(f"{' '.join(argv)} exited {done.returncode}: {done.stderr.strip()}")


def _command(line: str) -> Command:
    kilobytes, seconds, ended, *argv = line.split(SEPARATOR)
    return Command(tuple(argv), int(kilobytes) * 1024 / 1e6, float(seconds), float(ended))


def _teller() -> Path:
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]

    def build(place: Path) -> None:
        argv = ["cc", "-O2", "-Wall", "-o", str(place / "tell"), str(SOURCE)]
        subprocess.run(argv, check=True)

    return cached(f"tell-{os.uname().machine}-{digest}", build) / "tell"
