"""What a command wrote, collected or cut into lines, each within a bound."""

from collections.abc import Generator, Iterable, Iterator

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Completed

MOST_LINE = 1024 * 1024


def decoded(data: bytes) -> str:
    """Spell out bytes that are no UTF-8, so that such a name stays foreign and distinct."""
    return data.decode("utf-8", errors="backslashreplace")


class Capture:
    """Both streams of one command, kept apart; too much of them is a `TransportError`."""

    def __init__(self, command: str, most: int) -> None:
        self._command = command
        self._most = most
        self._out = bytearray()
        self._err = bytearray()

    def add(self, is_out: bool, data: bytes) -> None:
        (self._out if is_out else self._err).extend(data)
        if len(self._out) + len(self._err) > self._most:
            raise TransportError(
                f"{self._command} wrote more than {self._most} bytes and was killed"
            )

    def completed(self, code: int) -> Completed:
        return Completed(code, decoded(bytes(self._out)), decoded(bytes(self._err)))


class LineCutter:
    """Cuts a stream at line feeds; between two pieces it holds no more than one open line."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._open = b""

    def cut(self, data: bytes) -> Iterator[str]:
        lines, end, self._open = (self._open + data).rpartition(b"\n")
        if len(self._open) > MOST_LINE:
            raise TransportError(f"{self._command} wrote a line without an end and was killed")
        if end:
            yield from decoded(lines).split("\n")

    def rest(self) -> Iterator[str]:
        if self._open:
            yield decoded(self._open)


Pieces = Iterable[tuple[bool, bytes]]
"""What a command writes, as it comes: whether it is stdout, and the bytes."""


def captured(command: str, most: int, pieces: Pieces) -> Capture:
    """Collect both streams of a command."""
    capture = Capture(command, most)
    for is_out, data in pieces:
        capture.add(is_out, data)
    return capture


def cut_lines(command: str, most: int, pieces: Pieces) -> Generator[str, None, Capture]:
    """Yield the lines of stdout; stderr is what is returned."""
    cutter = LineCutter(command)
    errors = Capture(command, most)
    for is_out, data in pieces:
        if is_out:
            yield from cutter.cut(data)
        else:
            errors.add(False, data)
    yield from cutter.rest()
    return errors
