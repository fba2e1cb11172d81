"""Rows of other people's text, cut at a mark that nobody could know when the text was written.

Names, comments and paths may hold any sign, line breaks too, and whole rows that look like ours.
So each call has a mark of its own, drawn at random after everything in the answer was written;
every cell ends with it, and a row ends after as many marks as it has columns, with a line break.
No text can hold the mark, so no text makes a row or hides one. Pure: the random part is handed in.
"""

import re
from collections.abc import Iterable, Iterator

from waldur_slurm.errors import UnparsableOutput

_NONCE = re.compile(r"[A-Za-z0-9_-]{12,64}", re.ASCII)
_MOST_CHARACTERS = 1_000_000
"""A row longer than this is no row: better to stop than to collect it for ever."""


def mark_of(nonce: str) -> str:
    """Make a mark that Slurm's formats take as it is: no digit first, neither comma nor colon."""
    if _NONCE.fullmatch(nonce) is None:
        raise ValueError("a nonce has 12 to 64 letters, digits, - and _")
    return f"~{nonce}"


def split_marked(lines: Iterable[str], mark: str, columns: int) -> Iterator[tuple[str, ...]]:
    """Read rows from `lines`, which come without their line ends."""
    parts: list[str] = []
    marks = length = 0
    for line in lines:
        if not parts:  # most rows are a line
            cells = line.split(mark)
            if len(cells) == columns + 1 and not cells[-1]:
                yield tuple(cells[:-1])
                continue
        parts.append(line)
        marks += line.count(mark)
        length += len(line)
        if marks == columns and line.endswith(mark):
            yield tuple("\n".join(parts).split(mark)[:columns])
            parts, marks, length = [], 0, 0
        elif marks >= columns or length > _MOST_CHARACTERS:
            raise UnparsableOutput(f"not a row of {columns} columns: {parts[0][:200]!r}")
    if parts:
        raise UnparsableOutput(f"the output ends inside a row: {parts[0][:200]!r}")
