"""One is one, and everything else is many."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.places import PROJECT
from waldur_slurm.model.counting import counted

PLURAL = re.compile(r" (?:people|[a-z]+s)\b")


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 people"), (1, "1 person"), (2, "2 people"), (21, "21 people")]
)
def test_a_noun_follows_its_number(number: int, said: str) -> None:
    assert counted(number, "person", "people") == said


def test_most_nouns_need_an_s_only() -> None:
    assert (counted(1, "change"), counted(2, "change")) == ("1 change", "2 changes")


def test_a_verb_follows_as_well() -> None:
    assert counted(1, "job has not ended", "jobs have not ended") == "1 job has not ended"
    assert counted(3, "job has not ended", "jobs have not ended") == "3 jobs have not ended"


def texts_that_count() -> Iterator[tuple[str, str]]:
    """Each text that shows a length, with what it says right after it, and where."""
    hand = PROJECT / "waldur_slurm/hand"  # stands alone, and says `arguments` of many only
    for path in sorted(set((PROJECT / "waldur_slurm").rglob("*.py")) - set(hand.rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = node.values if isinstance(node, ast.JoinedStr) else []
            for number, text in pairwise(values):
                shown = ast.unparse(number.value) if isinstance(number, ast.FormattedValue) else ""
                if shown.startswith("len(") and isinstance(text, ast.Constant):
                    yield str(text.value), f"{path.relative_to(PROJECT)}:{number.lineno}"


def test_no_text_counts_in_a_way_of_its_own() -> None:
    assert [where for text, where in texts_that_count() if PLURAL.match(text)] == []
