"""A log that goes to a file as well, added to what is there: it outlives the process."""

import io
import os
from pathlib import Path
from typing import TextIO, cast

from waldur_slurm.errors import SettingsError


def also_in_file(stream: TextIO, path: Path) -> TextIO:
    """Return what writes to both; the file is for its owner and his group to read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise SettingsError([f"cannot write the log {path}: {error.strerror}"]) from error
    return cast(TextIO, _Both(stream, descriptor))


class _Both(io.TextIOBase):
    """A disk that is full takes nothing from the stream."""

    def __init__(self, stream: TextIO, descriptor: int) -> None:
        self._stream = stream
        self._descriptor = descriptor

    def write(self, text: str, /) -> int:
        written = self._stream.write(text)
        try:
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
        except OSError:
            return written
        return written

    def flush(self) -> None:
        self._stream.flush()
