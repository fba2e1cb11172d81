"""No line of the README is left that nobody types; here are those for a copy of the repository."""

import re
import shlex

import pytest

from tests import readme
from tests.packaging.conftest import run
from tests.places import PROJECT

MAKES = [*readme.lines("Try it"), *readme.lines("Development")]


def test_every_section_with_something_to_type_is_typed_by_a_test() -> None:
    assert {block.section for block in readme.all_blocks()} == set(readme.TYPED_BY)
    for section, module in readme.TYPED_BY.items():
        assert f'"{section}"' in (PROJECT / module).read_text(encoding="utf-8"), section


def test_what_is_typed_is_marked_as_such() -> None:
    assert readme.languages() == {"bash"}


def test_a_line_that_goes_on_is_one_command_and_remarks_are_none() -> None:
    (curl,) = (line for line in readme.lines("The offering in Waldur") if line.startswith("curl"))

    assert len(shlex.split(curl)) == 10
    assert not any(line.startswith("#") for block in readme.all_blocks() for line in block.lines)


def test_the_table_of_commands_is_read() -> None:
    assert {"check", "--diag", "adopt RESOURCE ACCOUNT", "--load-components"} <= set(
        readme.commands()
    )


@pytest.mark.parametrize("line", MAKES)
def test_a_target_is_there_and_would_run_what_its_remark_says(line: str) -> None:
    """Looked at only: what they start are these tests themselves, and `make demo` in test_demo."""
    words = shlex.split(line, comments=True)
    known = re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)

    done = run(*words, "--dry-run", cwd=PROJECT)

    assert (words[0], len(words), words[1] in known) == ("make", 2, True)
    assert done.returncode == 0, done.stderr
    assert done.stdout
