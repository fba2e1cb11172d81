"""No line of the README is left that nobody types; here are those for a copy of the repository."""

import re
import shlex
import sys
import zipfile
from pathlib import Path

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


def test_the_install_line_takes_no_original_agent_where_there_is_no_other(tmp_path: Path) -> None:
    (line,) = (line for line in readme.lines("Install") if " install " in line)
    _, *words = shlex.split(line, comments=True)
    index = tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / "waldur_slurm_agent-0.2.2-py3-none-any.whl", "w") as wheel:
        info = "waldur_slurm_agent-0.2.2.dist-info"
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: waldur-slurm-agent\nVersion: 0.2.2\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    offline = ("--no-index", f"--find-links={index}", "--dry-run", "--ignore-installed")

    done = run(sys.executable, "-m", "pip", *words, *offline)
    unasked = run(sys.executable, "-m", "pip", "install", "waldur-slurm-agent", *offline)

    assert done.returncode == 1
    assert "No matching distribution found for waldur-slurm-agent>=1.0" in done.stderr
    assert "waldur-slurm-agent-0.2.2" in unasked.stdout


@pytest.mark.parametrize("line", MAKES)
def test_a_target_is_there_and_would_run_what_its_remark_says(line: str) -> None:
    """Looked at only: what they start are these tests themselves, and `make demo` in test_demo."""
    words = shlex.split(line, comments=True)
    known = re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)

    done = run(*words, "--dry-run", cwd=PROJECT)

    assert (words[0], words[1] in known) == ("make", True)
    assert all(re.fullmatch(r"[A-Z]+=\w+", word) for word in words[2:])
    assert done.returncode == 0, done.stderr
    assert done.stdout
