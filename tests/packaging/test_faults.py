"""The tables of faults for who runs a front: each row has its test, and each test its row."""

import ast
import re
from dataclasses import dataclass

import pytest

from tests.places import PROJECT

TESTS = [
    ast.parse(path.read_text(encoding="utf-8")) for path in (PROJECT / "tests").rglob("test_*.py")
]


@dataclass(frozen=True)
class Table:
    """What happens to a front. `mark` is the one of its tests."""

    front: str
    mark: str
    fewest: int = 1

    @property
    def rows(self) -> list[list[str]]:
        page = (PROJECT / "docs" / f"{self.front}-operations.md").read_text(encoding="utf-8")
        chapter = page.partition("## Faults\n")[2].partition("\n## ")[0]
        return [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in re.findall(r"^\|.*$", chapter, re.MULTILINE)
        ]

    def tested(self) -> set[str]:
        """What is written in its marks of all tests."""
        return {
            str(call.args[0].value)
            for test in TESTS
            for call in ast.walk(test)
            if isinstance(call, ast.Call)
            and ast.unparse(call.func) == f"pytest.mark.{self.mark}"
            and isinstance(call.args[0], ast.Constant)
        }


TABLES = [Table("gateway", "fault", fewest=20), Table("operator", "operator_fault")]
of_each_front = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.front)


@of_each_front
def test_each_row_of_the_table_has_a_test_and_each_such_test_its_row(table: Table) -> None:
    heads, _, *rows = table.rows
    faults = [row[0].replace("`", "") for row in rows]

    assert heads == ["fault", f"what the {table.front} does", "what a person sees", "what to do"]
    assert len(faults) >= table.fewest
    assert len(set(faults)) == len(faults)
    assert table.tested() == set(faults)


@of_each_front
def test_each_row_says_all_four_things(table: Table) -> None:
    assert {len(row) for row in table.rows} == {4}
    assert all(cell for row in table.rows for cell in row)
