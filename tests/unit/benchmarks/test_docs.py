"""The figures of a run replace those before between the marks, and nothing else."""

from pathlib import Path

import pytest

from benchmarks.docs import BEGIN, END, PAGE, NoPlace, with_figures, write_docs
from benchmarks.rows import Row

MISSED = Row(name="wall", unit="s", samples=[1.5], bound=1.3, floor=[1.0])


def test_old_figures_are_replaced_and_all_else_stays() -> None:
    assert with_figures(f"a\n{BEGIN}old\n{END}z\n", "new\n") == f"a\n{BEGIN}\nnew\n\n{END}z\n"


def test_a_page_without_a_place_for_them_is_left_alone() -> None:
    with pytest.raises(NoPlace):
        with_figures(f"a\n{END}{BEGIN}", "new\n")


def test_the_page_says_by_which_command_and_what_was_missed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())

    write_docs([MISSED], "make bench QUICK=1", page)

    assert "`make bench QUICK=1` on " in page.read_text()
    assert "| wall | 1.500 s | 1.3 x floor | 1.000 s | 1.500 | **missed** |" in page.read_text()
