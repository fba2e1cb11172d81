"""Rows of sacct that nobody can forge, even who reads the mark in its arguments. Pure.

sacct takes its separator as an argument only, which every user of the machine may read while it
runs. So the mark alone does not protect: somebody might be quick enough to put it into a name.
What users chose stands at the row's end, and twice. A text with the mark in it moves all that
follows, its own copy too, so that some row of the answer no longer fits: its copies differ, or a
cell is not what its column holds. Such an answer is asked for again, with another mark.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from waldur_slurm.errors import InvalidName, UnparsableOutput
from waldur_slurm.model.past import UnreadablePast
from waldur_slurm.slurm.grammar.marks import split_marked

Row = TypeVar("Row", bound=NamedTuple)
Value = TypeVar("Value")


def read_rows(
    lines: Iterable[str],
    mark: str,
    row: type[Row],
    texts: int,
    read: Callable[[Row, tuple[str, ...]], Value],
) -> Iterator[Value | UnreadablePast]:
    """Read each row with its texts; `UnparsableOutput` where the answer as a whole is no list."""
    columns = len(row._fields)
    for cells in split_marked(lines, mark, columns + 2 * texts):
        once, twice = cells[columns : columns + texts], cells[columns + texts :]
        if once != twice:
            yield UnreadablePast(cells, "its texts are not their copies")
            continue
        try:
            yield read(row._make(cells[:columns]), once)
        except (UnparsableOutput, InvalidName) as error:
            yield UnreadablePast(cells, str(error))
