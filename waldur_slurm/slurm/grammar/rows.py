"""Lines to rows: a row is read whole, or the output is refused. Pure.

Every listing is asked for with a separator after the last column too, so that a row that was cut
short, by a full disk or a killed command, is seen; and so that a line break inside somebody's
text does not end a row (one that begins with a line break is refused). Names that our own
alphabet never makes may hold the separator itself: the surplus goes to one column that can take
it, and such a name stays recognisably foreign.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.counting import counted

Row = TypeVar("Row", bound=NamedTuple)

MOST_CHARACTERS = 200_000
"""A row longer than this is no row: better to stop than to collect it for ever."""


def split_rows(lines: Iterable[str], row: type[Row], *, open_column: str) -> Iterator[Row]:
    """Read rows from `lines`, which come without their line ends; see `to_row`."""
    for cells in split_cells(lines):
        yield to_row(cells, row, open_column=open_column)


def split_cells(lines: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Cut at separators; a row goes on until a line ends with one."""
    pending: str | None = None
    for line in lines:
        pending = line if pending is None else f"{pending}\n{line}"
        if len(pending) > MOST_CHARACTERS:
            raise UnparsableOutput(f"a row without an end: {pending[:80]!r}...")
        if pending.endswith("|"):
            yield tuple(pending[:-1].split("|"))
            pending = None
    if pending is not None:
        raise UnparsableOutput(f"the output ends inside a row: {pending[:200]!r}")


def to_row(cells: tuple[str, ...], row: type[Row], *, open_column: str) -> Row:
    """Give each cell its column; `open_column`, where it does no harm, takes the surplus."""
    surplus = len(cells) - len(row._fields)
    if surplus < 0:
        columns = counted(len(row._fields), "column")
        raise UnparsableOutput(f"expected {columns} in {'|'.join(cells)[:200]!r}")
    if surplus == 0:
        return row._make(cells)
    place = row._fields.index(open_column)
    end = place + surplus + 1
    return row._make((*cells[:place], "|".join(cells[place:end]), *cells[end:]))


def lines_of(text: str) -> Iterator[str]:
    """Cut at line feeds only: `str.splitlines` would also cut at a form feed inside a name."""
    if text:
        yield from text.removesuffix("\n").split("\n")
