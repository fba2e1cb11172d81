"""No text makes a row or hides one, as none can hold the mark of the call."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.slurm.grammar.marks import mark_of, split_heads, split_marked

MARK = mark_of("QmFzZTY0dXJs")
CELL = st.text(st.characters(exclude_characters="\r")).filter(lambda text: MARK not in text)
NEARLY = st.sampled_from(["~", MARK[:-1], f"\n{MARK[:-2]}", "\n", "|", "~\n", "1|root|\n"])
ROWS = st.lists(st.tuples(*[st.lists(CELL | NEARLY, max_size=3).map("".join)] * 3), max_size=5)


def printed(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return "".join("".join(f"{cell}{MARK}" for cell in row) + "\n" for row in rows).split("\n")[:-1]


@given(ROWS)
def test_rows_come_back_whatever_their_cells_hold(rows: list[tuple[str, ...]]) -> None:
    if MARK in "".join(map("".join, rows)):  # pieces of it may have met
        return
    assert [*split_marked(printed(rows), MARK, 3)] == rows


@given(ROWS, st.integers(0, 3))
def test_rows_are_the_same_however_few_of_their_cells_are_cut(
    rows: list[tuple[str, ...]], head: int
) -> None:
    if MARK in "".join(map("".join, rows)):
        return
    twice = [*rows, *rows]  # the rest of a row that comes again is taken as known
    cut = [*split_heads(printed(twice), MARK, 3, head)]
    assert [(*cells, *tail.split(MARK)[:-1]) for cells, tail in cut] == twice
    assert all(len(cells) == head for cells, _ in cut)


@pytest.mark.parametrize("tail", [f"c{MARK}d", f"c{MARK}d{MARK}", "c", ""])
def test_a_row_with_another_end_is_refused_although_its_head_fits(tail: str) -> None:
    with pytest.raises(UnparsableOutput):
        list(split_heads([f"a{MARK}b{MARK}c{MARK}", f"a{MARK}b{MARK}{tail}"], MARK, 3, 2))


def test_a_cell_that_is_all_line_breaks_ends_no_row() -> None:
    rows = [("\n", "\n\n", "\n"), ("a", "", "b")]
    assert [*split_marked(printed(rows), MARK, 3)] == rows


@pytest.mark.parametrize(
    "lines",
    [
        [f"a{MARK}b{MARK}"],
        [f"a{MARK}b{MARK}c{MARK}d"],
        [f"a{MARK}b{MARK}c{MARK}d{MARK}"],
        ["JOBID PARTITION NAME"],
    ],
)
def test_an_output_that_is_not_made_of_rows_is_refused(lines: list[str]) -> None:
    with pytest.raises(UnparsableOutput):
        list(split_marked(lines, MARK, 3))


def test_a_row_without_an_end_is_not_collected_for_ever() -> None:
    with pytest.raises(UnparsableOutput):
        list(split_marked(("x" * 1000 for _ in range(10_000)), MARK, 3))


@pytest.mark.parametrize("nonce", ["", "short", "a,b" * 5, "a:b" * 5, "a b" * 5, "é" * 12])
def test_what_a_format_would_misread_is_no_nonce(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        mark_of(nonce)
