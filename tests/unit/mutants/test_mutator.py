"""Mutants are small mistakes, one at a time, each a module that can still be read."""

import ast

from tests.mutants.__main__ import JUDGES, cases_of, known_alike
from tests.mutants.mutator import mutants_of

SOURCE = '''
"""A docstring with 1 in it."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    most: int = 10

    def allows(self, held: int, more: bool) -> bool:
        if more and not self.most:
            return False
        return held + 1 <= min(self.most, 7)
'''


def changes() -> list[str]:
    return [mutant.change for mutant in mutants_of(SOURCE)]


def test_edges_signs_and_conditions_are_turned_around() -> None:
    assert changes() == [
        "10 -> 11",
        "more and (not self.most) -> more or not self.most",
        "more and (not self.most) -> not self.most",
        "more and (not self.most) -> more",
        "not self.most -> self.most",
        "False -> True",
        "held + 1 <= min(self.most, 7) -> held + 1 < min(self.most, 7)",
        "held + 1 -> held - 1",
        "1 -> 2",
        "min -> max",
        "7 -> 8",
    ]


def test_every_mutant_is_a_module_that_differs_in_one_place() -> None:
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in mutants_of(SOURCE):
        lines = mutant.source.splitlines()
        assert len(lines) == len(original)
        assert sum(a != b for a, b in zip(lines, original, strict=True)) == 1


def test_a_condition_that_is_asked_for_as_it_stands_is_negated() -> None:
    (mutant,) = mutants_of("def f(x: int) -> None:\n    if x:\n        print(x)\n")

    assert mutant.change == "x -> not x"


def test_what_is_said_to_people_and_tools_is_left_alone() -> None:
    source = """@lru_cache(maxsize=9)
def f(text: Literal[3]) -> Literal[4]:
    raise ValueError(f"not a number: {text[:80]!r}, {text[5]}")
"""

    assert [mutant.change for mutant in mutants_of(source)] == ["5 -> 6"]


def test_a_mutant_is_known_by_where_it_is_and_not_by_its_line() -> None:
    places = {mutant.change: mutant.where for mutant in mutants_of(SOURCE + "LONGEST = 3\n")}

    assert places["10 -> 11"] == "Limit"
    assert places["min -> max"] == "Limit.allows"
    assert places["3 -> 4"] == "LONGEST"


def test_what_is_said_to_be_alike_is_a_mutant_that_there_is() -> None:
    modules = {name.partition(":")[0] for name in known_alike()}

    assert modules <= JUDGES.keys()
    assert known_alike() <= {case.name for module in modules for case in cases_of(module)}
