"""Tables of text that is fit for a terminal: aligned, and cut to its width. Pure."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

GAP = "  "
CUT = "~"
"""Stands where a text was cut."""

NARROWEST = 8

Paint = Callable[[str, str], str]
"""Colours a text, which is laid out already, by what it says."""


@dataclass(frozen=True, slots=True)
class Column:
    """`gives`: it may be cut where the table is too wide."""

    name: str
    is_right: bool = False
    gives: bool = False


def unpainted(_said: str, text: str) -> str:
    return text


def laid_out(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int | None = None,
    paint: Paint = unpainted,
) -> Iterator[str]:
    """Yield the lines, without blanks at their ends; without a `width` nothing is cut."""
    heads = [column.name for column in columns]
    widths = [max(columns_of(text) for text in texts) for texts in zip(heads, *rows, strict=True)]
    if width is not None:
        widths = fitted(columns, widths, width)
    yield _line(columns, heads, widths, width, unpainted)
    for row in rows:
        yield _line(columns, row, widths, width, paint)


def fitted(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Take from the widest of those that give, until all fit or none gives any more."""
    left = [*widths]
    while sum(left) + len(GAP) * (len(left) - 1) > width:
        giving = [at for at, column in enumerate(columns) if column.gives and left[at] > NARROWEST]
        if not giving:
            break
        left[max(giving, key=lambda at: left[at])] -= 1
    return left


def columns_of(text: str) -> int:
    """Count the columns that a terminal gives a text."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def cut(text: str, width: int) -> str:
    """Shorten a text to at most so many columns."""
    if columns_of(text) <= width:
        return text
    kept, used = "", len(CUT)
    for character in text:
        used += _columns(character)
        if used > width:
            break
        kept += character
    return f"{kept}{CUT}"[:width] if width < len(CUT) else f"{kept}{CUT}"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _line(
    columns: Sequence[Column],
    texts: Sequence[str],
    widths: Sequence[int],
    width: int | None,
    paint: Paint,
) -> str:
    cells, used = [], 0
    for column, text, wide in zip(columns, texts, widths, strict=True):
        room = wide if width is None else min(wide, width - used)
        if room <= 0:
            break
        cells.append(paint(text, _padded(cut(text, room), room, is_right=column.is_right)))
        used += room + len(GAP)
    return GAP.join(cells).rstrip()


def _padded(text: str, width: int, *, is_right: bool) -> str:
    blanks = " " * (width - columns_of(text))
    return f"{blanks}{text}" if is_right else f"{text}{blanks}"
