"""What the demo shows: plain sentences, tables, and the agent's own words.

Rule: it can be read in 80 columns, and without a terminal too.
"""

import shlex
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sandbox.demo.site import Run

WITHOUT_TERMINAL = 80
MARGIN = 3
CONTINUED = 6


class Screen:
    def __init__(self, stream: TextIO = sys.stdout) -> None:
        width = None if stream.isatty() else WITHOUT_TERMINAL
        self._console = Console(file=stream, highlight=False, width=width)
        self._chapters = 0

    def chapter(self, title: str) -> None:
        self._chapters += 1
        self._console.print()
        self._console.print(Text(f"{self._chapters}. {title}", style="bold"))

    def say(self, text: str) -> None:
        self._print(text)

    def close(self, text: str) -> None:
        self._console.print()
        self._print(text, style="bold")

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show that something goes on, and afterwards how long it took."""
        begun = time.monotonic()
        with self._console.status(f"{text} ..."):
            yield
        self._print(f"{text}: {time.monotonic() - begun:.1f} s", style="dim")

    def program(self, argv: Sequence[str], run: Callable[[], Run]) -> None:
        """Show what is typed, that it works, and what it answers."""
        self.line(shlex.join(argv), run)

    def line(self, typed: str, run: Callable[[], Run]) -> None:
        """Show a line of a shell in the same way."""
        self._console.print()
        self._print(f"$ {typed}", style="cyan")
        with self._console.status("..."):
            done = run()
        self._print(done.out, hanging=CONTINUED)
        self._print(f"({done.seconds:.1f} s)", style="dim")

    def commands(self, *lines: tuple[str, str]) -> None:
        """Show what a person may type next, each with what it is for."""
        for command, meaning in lines:
            self._print(command, style="cyan")
            self._print(f"    {meaning}")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows under their columns; a title that ends in > is that of a column of numbers."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(
                column.rstrip(">"),
                justify="right" if column.endswith(">") else "left",
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(Padding(table, (1, 0, 1, MARGIN), expand=False))

    def _print(self, text: str, style: str = "", hanging: int = 0) -> None:
        """Print lines with a margin, those that are too long in several."""
        for line in text.splitlines():
            beginning = " " * (MARGIN + len(line) - len(line.lstrip()))
            wrapped = textwrap.wrap(
                line.strip(),
                self._console.width,
                initial_indent=beginning,
                subsequent_indent=beginning + " " * hanging,
                break_on_hyphens=False,
            )
            for part in wrapped or [""]:
                self._console.print(Text(part, style=style), soft_wrap=True)
