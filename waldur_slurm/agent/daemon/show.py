"""Data for people and programs, on standard output; what colours a table is imported only here."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TextIO

from waldur_slurm.telemetry.lines import plain, visible
from waldur_slurm.telemetry.redaction import Redaction

_WIDTH_WITHOUT_TERMINAL = 160


class Display:
    """Prints tables, CSV and JSON; no secret and no control character passes."""

    def __init__(self, stream: TextIO, redact: Redaction) -> None:
        self._stream = stream
        self._redact = redact

    def json(self, data: object) -> None:
        for line in json.dumps(plain(data), indent=2, ensure_ascii=True).splitlines():
            self.line(line)

    def csv(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        writer = csv.writer(self._stream)
        writer.writerow(columns)
        for row in rows:
            writer.writerow("" if cell is None else self._shown(str(cell)) for cell in row)

    def text(self, text: str) -> None:
        """Print lines that are laid out already."""
        for line in text.removesuffix("\n").split("\n"):
            self.line(line)

    def line(self, text: str) -> None:
        self._stream.write(f"{self._shown(text)}\n")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        styles: Mapping[str, str] | None = None,
    ) -> None:
        """Print rows under their columns; a cell that is a key of `styles` is written so."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            cells = [self._shown(cell) for cell in row]
            table.add_row(*(Text(cell, style=(styles or {}).get(cell, "")) for cell in cells))
        width = None if self._stream.isatty() else _WIDTH_WITHOUT_TERMINAL
        Console(file=self._stream, width=width, highlight=False).print(table)

    def _shown(self, text: str) -> str:
        return self._redact(visible(text))


def announcer(stream: TextIO) -> Callable[[str], None]:
    """Say on a terminal whom the program is waiting for; anything else is told nothing."""
    if not stream.isatty():
        return lambda _whom: None
    return lambda whom: print(f"Asking {whom} ...", file=stream, flush=True)


@contextmanager
def months_shown(stream: TextIO) -> Iterator[Callable[[object, int, int], None]]:
    """Show a bar while months go by, on a terminal; anything else is told nothing."""
    if not stream.isatty():
        yield lambda _month, _done, _of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(month: object, done: int, of: int) -> None:
            bar.update(task, description=str(month), completed=done, total=of)

        yield show
