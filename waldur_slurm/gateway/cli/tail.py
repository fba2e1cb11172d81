"""The end of what a job wrote, or all of it as it comes.

It is somebody else's text: on a terminal whatever would move the cursor is escaped. What goes into
a file or a pipe is as it was written.
"""

import argparse
import codecs

from waldur_slurm.gateway.cli.exits import DONE
from waldur_slurm.gateway.cli.terminal import Terminal
from waldur_slurm.gateway.client import Gateway, Output, Stream

LOOKED_AT = 64 * 1024
"""Where the last lines are looked for."""


def tail(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    stream: Stream = "err" if arguments.err else "out"
    writer = Writer(terminal, is_raw=arguments.raw or terminal.is_wide)
    if arguments.lines is None:
        piece = _all_so_far(gateway, arguments.job, stream, writer)
    else:
        piece = gateway.tail(arguments.job, LOOKED_AT, stream=stream)
        writer.write(last_lines(piece.data, arguments.lines))
    if arguments.follow and not piece.is_complete:
        for data in gateway.follow(arguments.job, stream=stream, offset=piece.next_offset):
            writer.write(data)
    writer.end()
    return DONE


def last_lines(data: bytes, number: int) -> bytes:
    """Return the last lines; one that has not ended yet counts."""
    if not number:
        return b""
    lines = data.splitlines(keepends=True)
    return b"".join(lines[-number:])


class Writer:
    """Writes bytes as they are, or as text that cannot do anything to a terminal."""

    def __init__(self, terminal: Terminal, *, is_raw: bool) -> None:
        self._terminal = terminal
        self._is_raw = is_raw
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes) -> None:
        if self._is_raw:
            self._terminal.bytes(data)
        else:
            self._terminal.shown(self._decoder.decode(data))

    def end(self) -> None:
        """Write what was half a character."""
        if not self._is_raw:
            self._terminal.shown(self._decoder.decode(b"", final=True))


def _all_so_far(gateway: Gateway, job: str, stream: Stream, writer: Writer) -> Output:
    piece = gateway.output(job, stream=stream)
    while piece.data:
        writer.write(piece.data)
        if piece.is_complete:
            break
        piece = gateway.output(job, stream=stream, offset=piece.next_offset)
    return piece
