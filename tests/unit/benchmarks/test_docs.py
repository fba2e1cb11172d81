"""The figures of a run replace those before between the marks, and nothing else."""

from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.docs import PAGE, NoPlace, begin_of, end_of, with_figures, write_docs
from benchmarks.rows import Row

MISSED = Row(
    name="wall", unit="s", samples=[1.5], bound=1.3, floor=[1.0], reason="the disk is slow"
)
BEGIN, END = begin_of("push"), end_of("push")


def test_old_figures_are_replaced_and_all_else_stays() -> None:
    others = f"{begin_of('pull')}theirs\n{end_of('pull')}"

    text = with_figures(f"a\n{others}{BEGIN}old\n{END}z\n", "push", "new\n")

    assert text == f"a\n{others}{BEGIN}\nnew\n\n{END}z\n"


@pytest.mark.parametrize("text", [f"a\n{END}{BEGIN}", begin_of("pull") + end_of("pull"), BEGIN])
def test_a_page_without_a_place_for_them_is_left_alone(text: str) -> None:
    with pytest.raises(NoPlace):
        with_figures(text, "push", "new\n")


def test_the_page_says_by_which_command_and_what_was_missed_and_why(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())

    write_docs({"push": [MISSED, "Nothing stood beside it."]}, "make bench QUICK=1", page)

    figures = page.read_text().partition(BEGIN)[2].partition(END)[0]
    assert "`make bench QUICK=1` on " in figures
    assert "| wall | 1.500 s | 1.3 x floor | 1.000 s | 1.500 | **missed** |" in figures
    assert "* *wall* (missed): the disk is slow\n" in figures
    assert figures.rstrip().endswith("Nothing stood beside it.")


@pytest.mark.parametrize("name", sorted(MEASUREMENTS))
def test_each_measurement_has_its_place_in_the_page(name: str) -> None:
    assert with_figures(PAGE.read_text(), name, "new\n") != PAGE.read_text()
