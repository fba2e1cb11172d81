"""Types a command of the command line within the process, against a scripted gateway."""

import argparse
import io
from dataclasses import dataclass, field
from typing import Any

from waldur_slurm.gateway.arguments import parse
from waldur_slurm.gateway.cli.program import find
from waldur_slurm.gateway.cli.terminal import Terminal
from waldur_slurm.gateway.client import Gateway


class Screen(io.TextIOWrapper):
    """A stream that is, or is not, a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    @property
    def text(self) -> str:
        data: Any = self.buffer
        return bytes(data.getvalue()).decode()


@dataclass
class Said:
    code: int
    out: str
    err: str


@dataclass
class Typist:
    """`environ` is the terminal's own."""

    gateway: Gateway
    is_terminal: bool = False
    environ: dict[str, str] = field(default_factory=lambda: {"TERM": "xterm"})

    def types(self, *words: str) -> Said:
        arguments: argparse.Namespace = parse(words)
        out, err = Screen(is_terminal=self.is_terminal), Screen(is_terminal=False)
        terminal = Terminal(out, err, self.environ, str)
        with self.gateway as gateway:
            code = find(arguments.asks)(gateway, terminal, arguments)
        return Said(code, out.text, err.text)
