"""A plan on paper shows what there is, and nothing in it can look like another line."""

import pytest

from waldur_slurm.agent.report.paper import NOTHING_TO_DO, Kind, kind_of, to_text


def test_sections_have_their_number_of_lines_and_empty_ones_are_left_out() -> None:
    text = to_text([("Steps", ["one", "two"]), ("Drift", []), ("Refused", ["three"])])

    assert text == "Steps (2)\none\ntwo\n\nRefused (1)\nthree\n"


def test_a_plan_without_lines_says_that_nothing_is_to_be_done() -> None:
    assert to_text([("Steps", []), ("Drift", [])]) == NOTHING_TO_DO


def test_a_name_with_a_line_break_stays_on_its_line() -> None:
    assert to_text([("Steps", ["add user a\nremove user b"])]).count("\n") == 2


@pytest.mark.parametrize(
    ("has_steps", "has_findings", "kind", "exit_code"),
    [
        (True, True, Kind.CHANGES, 10),
        (True, False, Kind.CHANGES, 10),
        (False, True, Kind.DRIFT_ONLY, 11),
        (False, False, Kind.NOTHING, 0),
    ],
)
def test_the_exit_code_of_a_plan_says_whether_it_changes_or_only_shows(
    has_steps: bool, has_findings: bool, kind: Kind, exit_code: int
) -> None:
    found = kind_of(has_steps=has_steps, has_findings=has_findings)

    assert (found, found.value) == (kind, exit_code)
