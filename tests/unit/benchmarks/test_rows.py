"""The arithmetic of the benchmarks: a figure is a median, and a missed bound is said."""

import pytest

from benchmarks.rows import NotMeasured, Row, Verdict, exit_code, rows_of, words_of


def row(*samples: float, bound: float | None = None, floor: tuple[float, ...] = ()) -> Row:
    return Row(name="a row", unit="s", samples=samples, bound=bound, floor=floor)


def test_the_figure_is_the_median_of_the_samples() -> None:
    assert row(9.0, 1.0, 2.0).figure == 2.0
    assert row(4.0, 1.0, 2.0, 90.0).figure == 3.0


def test_a_row_of_which_nothing_was_measured_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        row()


def test_the_ratio_is_that_of_the_medians() -> None:
    assert row(1.0, 3.0, 100.0, floor=(2.0, 0.1, 50.0)).ratio == 1.5
    assert row(1.0).ratio is None


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (row(0.5, bound=0.5), Verdict.MET),
        (row(0.5001, bound=0.5), Verdict.MISSED),
        (row(0.1, 0.6, 0.7, bound=0.5), Verdict.MISSED),
        (row(13.0, bound=1.3, floor=(10.0,)), Verdict.MET),
        (row(13.1, bound=1.3, floor=(10.0,)), Verdict.MISSED),
        (row(99.0), Verdict.NO_BOUND),
    ],
)
def test_a_bound_is_met_up_to_itself_and_missed_beyond(measured: Row, verdict: Verdict) -> None:
    assert measured.verdict is verdict


@pytest.mark.parametrize(("rate", "verdict"), [(1500.0, Verdict.MET), (1499.9, Verdict.MISSED)])
def test_of_a_rate_the_least_is_bounded(rate: float, verdict: Verdict) -> None:
    assert Row(name="r", unit="/s", samples=[rate], bound=1500, at_least=True).verdict is verdict


def test_what_was_not_measured_is_no_success_and_words_alone_are_no_failure() -> None:
    broken = NotMeasured("zips were not measured")

    assert exit_code([row(1.0), "FirecREST is left out"]) == 0
    assert exit_code([row(1.0), broken]) == 1
    assert rows_of(["words", row(1.0)]) == [row(1.0)]
    assert words_of(["words", row(1.0), broken]) == ["words", broken]


def test_one_missed_bound_among_many_makes_the_exit_code_1() -> None:
    met, unbound, missed = row(1.0, bound=2.0), row(9.0), row(3.0, bound=2.0)

    assert exit_code([met, unbound]) == 0
    assert exit_code([met, missed, unbound]) == 1
