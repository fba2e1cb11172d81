"""Where the command line writes: data to standard output, all else to standard error.

Nothing that others chose moves a cursor or turns a direction, and no token is shown. Colours and
what moves are for terminals alone.
"""

import csv
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic
from typing import TextIO

import msgspec

from waldur_slurm.gateway.cli.tables import Column, cut, laid_out, unpainted
from waldur_slurm.gateway.cli.words import span
from waldur_slurm.telemetry.lines import visible
from waldur_slurm.telemetry.redaction import Redaction

A_TURN_S = 0.2
_TURNS = "|/-\\"
_ERASE = "\r\x1b[K"
_GREEN, _YELLOW, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[1m", "\x1b[0m"
_COLOURS = {
    **dict.fromkeys(("RUNNING", "COMPLETED", "IDLE", "UP", "yes"), _GREEN),
    **dict.fromkeys(("PENDING", "SUSPENDED", "COMPLETING", "CONFIGURING", "MIXED"), _YELLOW),
    **dict.fromkeys(("FAILED", "TIMEOUT", "CANCELLED", "OUT_OF_MEMORY", "NODE_FAIL"), _RED),
    **dict.fromkeys(("BOOT_FAIL", "DEADLINE", "PREEMPTED", "DOWN", "no"), _RED),
}


class Terminal:
    def __init__(
        self, out: TextIO, err: TextIO, environ: Mapping[str, str], redact: Redaction
    ) -> None:
        self._out = out
        self._err = err
        self._redact = redact
        is_dumb = environ.get("TERM", "dumb") == "dumb"
        self.is_wide = not out.isatty()
        """Nobody looks on: nothing is cut, and all is written as it is."""
        self._moves = err.isatty() and not is_dumb
        self._has_colours = out.isatty() and not is_dumb and not environ.get("NO_COLOR")

    def line(self, text: str) -> None:
        self._out.write(f"{self._shown(text)}\n")

    def say(self, text: str) -> None:
        """Say what is no data."""
        self._err.write(f"{self._shown(text)}\n")

    def secret(self, text: str) -> None:
        """Write what is hidden everywhere else to whoever asked for it."""
        self._out.write(f"{text}\n")

    def json(self, data: object) -> None:
        """Write what the API says, in ASCII: whatever else is in it is escaped."""
        plain = msgspec.to_builtins(data)
        for line in json.dumps(plain, indent=2, ensure_ascii=True).splitlines():
            self._out.write(f"{self._redact(line)}\n")

    def csv(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        writer = csv.writer(self._out)
        writer.writerow(columns)
        for row in rows:
            writer.writerow("" if cell is None else self._shown(str(cell)) for cell in row)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        width = None if self.is_wide else shutil.get_terminal_size().columns
        paint = _painted if self._has_colours else unpainted
        shown = [[self._shown(cell) for cell in row] for row in rows]
        for text in laid_out(columns, shown, width, paint):
            self._out.write(f"{text}\n")

    def labelled(self, pairs: Iterable[tuple[str, str]]) -> None:
        shown = [(label, self._shown(text)) for label, text in pairs]
        wide = max((len(label) for label, _ in shown), default=0) + 1
        for label, text in shown:
            head = f"{label}:" if label else ""
            bold = f"{_BOLD}{head}{_PLAIN}" if head and self._has_colours else head
            self._out.write(f"{bold}{' ' * (wide - len(head))} {text}\n")

    def bytes(self, data: bytes) -> None:
        """Write them as they are; whoever asked for that knows where they go."""
        self._out.flush()
        self._out.buffer.write(data)
        self._out.buffer.flush()

    def shown(self, text: str) -> None:
        """Write other people's text, line breaks and tabs as they are."""
        lines = text.split("\n")
        self._out.write("\n".join("\t".join(map(visible, line.split("\t"))) for line in lines))
        self._out.flush()

    def _shown(self, text: str) -> str:
        return self._redact(visible(text))

    @contextmanager
    def waiting(self, said: str) -> Iterator["Spinner"]:
        """Show on a terminal that, and for what, it is waited."""
        spinner = Spinner(self._err if self._moves else None, said)
        try:
            yield spinner
        finally:
            spinner.stop()


class Spinner:
    """One line that turns, until it is wiped; without a stream it does nothing."""

    def __init__(self, stream: TextIO | None, said: str) -> None:
        self.said = said
        self._stream = stream
        self._began = monotonic()
        self._is_over = Event()
        self._thread = Thread(target=self._turn, daemon=True)
        if stream is not None:
            self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        if self._stream is not None:
            self._thread.join()

    def _turn(self) -> None:
        at = 0
        while not self._is_over.wait(A_TURN_S):
            width = shutil.get_terminal_size().columns
            waited = span(int(monotonic() - self._began))
            text = cut(f"{_TURNS[at % len(_TURNS)]} {visible(self.said)}, {waited}", width - 1)
            self._write(f"{_ERASE}{text}")
            at += 1
        if at:
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def standard_streams() -> tuple[TextIO, TextIO]:
    """Return both; what their encoding does not have is escaped and breaks nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return sys.stdout, sys.stderr


def _painted(said: str, text: str) -> str:
    colour = _COLOURS.get(said, "")
    return f"{colour}{text}{_PLAIN}" if colour else text
