"""Slurm's commands behind scripts that count: the same honest count for every agent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox.slurm.daemons import find_program
from tests.e2e.program import TOOLS


@dataclass(frozen=True)
class CountedTools:
    """A folder to put first in PATH; its scripts become the real command, so time them freely."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Self:
        folder.mkdir()
        tools = cls(folder)
        for tool in TOOLS:
            script = folder / tool
            counting = f"echo {tool} >> '{tools._tally}'"
            script.write_text(f'#!/bin/sh\n{counting}\nexec {find_program(tool)} "$@"\n')
            script.chmod(0o755)
        tools.forget()
        return tools

    @property
    def _tally(self) -> Path:
        return self.folder / "started"

    def count(self) -> int:
        return len(self._tally.read_text().splitlines())

    def forget(self) -> None:
        self._tally.write_text("")
