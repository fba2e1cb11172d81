"""A row is read whole or refused, whatever stands in it."""

from typing import NamedTuple

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.slurm.grammar.rows import MOST_CHARACTERS, lines_of, split_cells, split_rows


class Row(NamedTuple):
    id: str
    name: str
    user: str


def rows(text: str) -> list[Row]:
    return list(split_rows(lines_of(text), Row, open_column="name"))


def test_each_line_is_a_row() -> None:
    assert rows("1|a|b|\n2|c||\n") == [Row("1", "a", "b"), Row("2", "c", "")]


def test_no_output_is_no_rows() -> None:
    assert rows("") == []


def test_a_surplus_separator_stays_in_the_open_column() -> None:
    assert rows("1|pi|pe|b|\n") == [Row("1", "pi|pe", "b")]


def test_a_line_break_inside_a_cell_does_not_end_the_row() -> None:
    assert rows("1|a\n\nz|b|\n2|c|d|\n") == [Row("1", "a\n\nz", "b"), Row("2", "c", "d")]


def test_only_line_feeds_end_a_line() -> None:
    odd = "a\x0b\x0c\x1c\x85\u2028z"
    assert rows(f"1|{odd}|b|\n") == [Row("1", odd, "b")]


@pytest.mark.parametrize("text", ["1|a|\n", "1|\n", "|\n", "|"])
def test_a_row_that_is_too_short_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput, match="expected 3 columns"):
        rows(text)


@pytest.mark.parametrize("text", ["1|a|b", "1|a|b|\n2|c", "1|a|b|\nslurmdbd: gone", "\n"])
def test_output_that_was_cut_short_is_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput, match="ends inside a row"):
        rows(text)


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    lines = iter(["x" * 1000] * 10_000)
    with pytest.raises(UnparsableOutput, match="without an end"):
        list(split_cells(lines))
    assert len(list(lines)) >= 10_000 - MOST_CHARACTERS // 1000 - 1


def test_a_row_may_be_as_long_as_it_may_be_and_no_longer() -> None:
    (whole,) = split_cells(["x" * 199_999 + "|"])
    assert len(whole[0]) == 199_999
    with pytest.raises(UnparsableOutput, match="without an end"):
        list(split_cells(["x" * 200_000 + "|"]))
