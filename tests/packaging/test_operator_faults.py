"""The table of faults for who runs an operator: each row has its test, and each test its row."""

import ast
import re

from tests.places import PROJECT

PAGE = (PROJECT / "docs" / "operator-operations.md").read_text(encoding="utf-8")
CHAPTER = PAGE.partition("## Faults\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in re.findall(r"^\|.*$", CHAPTER, re.MULTILINE)
]


def faults_tested() -> set[str]:
    """What is written in the marks `operator_fault` of all tests."""
    return {
        str(call.args[0].value)
        for path in (PROJECT / "tests").rglob("test_*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "pytest.mark.operator_fault"
        and isinstance(call.args[0], ast.Constant)
    }


def test_each_row_of_the_table_has_a_test_and_each_such_test_its_row() -> None:
    heads, _, *rows = ROWS
    faults = [row[0].replace("`", "") for row in rows]

    assert heads == ["fault", "what the operator does", "what a person sees", "what to do"]
    assert len(set(faults)) == len(faults)
    assert faults_tested() == set(faults)


def test_each_row_says_all_four_things() -> None:
    assert {len(row) for row in ROWS} == {4}
    assert all(cell for row in ROWS for cell in row)
