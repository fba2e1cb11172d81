"""Tables are aligned, and fit the terminal."""

from waldur_slurm.gateway.cli.tables import Column, columns_of, cut, laid_out

COLUMNS = (Column("JOB"), Column("CPUS", is_right=True), Column("NAME", gives=True))


def lines(*rows: tuple[str, ...], width: int | None = None) -> list[str]:
    return [*laid_out(COLUMNS, rows, width)]


def test_columns_are_aligned_numbers_to_the_right_and_no_line_ends_in_blanks() -> None:
    assert lines(("7", "128", "a"), ("4711_12", "2", "")) == [
        "JOB      CPUS  NAME",
        "7         128  a",
        "4711_12     2",
    ]


def test_an_empty_list_has_its_head_alone() -> None:
    assert lines() == ["JOB  CPUS  NAME"]


def test_what_gives_is_cut_where_it_is_too_wide_and_nothing_without_a_width() -> None:
    long = "x" * 50
    head, row = lines(("7", "1", long), width=30)
    assert row == f"7       1  {'x' * 18}~"
    assert max(map(len, (head, row))) <= 30
    assert lines(("7", "1", long))[1].endswith(long)


def test_a_terminal_that_is_too_narrow_for_all_is_not_overrun() -> None:
    for width in range(1, 40):
        for line in lines(("4711_12", "128", "a long name of a job"), width=width):
            assert columns_of(line) <= width


def test_wide_characters_count_twice_and_combining_ones_not_at_all() -> None:
    assert columns_of("ab") == 2
    assert columns_of("日本") == 4
    assert columns_of("e\u0301") == 1
    assert cut("日本語", 5) == "日本~"
    assert cut("日本語", 4) == "日~"
    assert cut("abc", 1) == "~"
    rows = lines(("日本", "1", "x"), ("abcd", "1", "x"))
    assert [columns_of(row[: row.rindex("x")]) for row in rows[1:]] == [12, 12]


def test_paint_colours_what_is_laid_out_and_moves_nothing() -> None:
    painted = laid_out(COLUMNS, [("7", "1", "FAILED")], None, lambda said, text: f"<{said}|{text}>")
    assert [*painted][1] == "<7|7  >  <1|   1>  <FAILED|FAILED>"
