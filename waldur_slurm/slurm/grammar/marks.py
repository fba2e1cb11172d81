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
    for cells, _ in split_heads(lines, mark, columns, columns):
        yield tuple(cells)


def split_heads(
    lines: Iterable[str], mark: str, columns: int, head: int
) -> Iterator[tuple[list[str], str]]:
    """Read rows, cutting off their first `head` cells only: the others stay one text.

    That text has all its marks, also the one at its end. One that comes again is not counted again.
    """
    tails: set[str] = set()
    parts: list[str] = []
    marks = length = 0
    for line in lines:
        if not parts:  # most rows are a line
            *cells, tail = line.split(mark, head)
            if len(cells) == head and (tail in tails or _ends_row(tail, mark, columns - head)):
                tails.add(tail)
                yield cells, tail
                continue
        parts.append(line)
        marks += line.count(mark)
        length += len(line)
        if marks == columns and line.endswith(mark):
            *cells, tail = "\n".join(parts).split(mark, head)
            yield cells, tail
            parts, marks, length = [], 0, 0
        elif marks >= columns or length > _MOST_CHARACTERS:
            raise UnparsableOutput(f"not a row of {columns} columns: {parts[0][:200]!r}")
    if parts:
        raise UnparsableOutput(f"the output ends inside a row: {parts[0][:200]!r}")


def _ends_row(tail: str, mark: str, cells: int) -> bool:
    return tail.count(mark) == cells and (tail.endswith(mark) if cells else not tail)
