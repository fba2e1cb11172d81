"""The gateway's pages, held to the code."""

import re
import shlex

import pytest

from tests.packaging.messages import explained, sources, troubles
from tests.places import PROJECT
from tests.unit.gateway.web.seeds.differences import NOT_TOLD
from waldur_slurm.gateway.arguments import parse
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.reference import page
from waldur_slurm.gateway.web.openapi import page as api_page
from waldur_slurm.gateway.web.routes import ROUTES

DOCS = PROJECT / "docs"
OPERATIONS = (DOCS / "gateway-operations.md").read_text(encoding="utf-8")
BLOCKS = "\n".join(re.findall(r"^```bash\n(.*?)^```", OPERATIONS, re.DOTALL | re.MULTILINE))
LINES = re.findall(r"^slurm-gateway (.+?)(?: +#.*)?$", BLOCKS, re.MULTILINE)
ASSIGNED = re.findall(r'`?(GATEWAY_[A-Z_]+)=("[^"\n]+"|[^\s`|]+)', OPERATIONS)


def test_the_page_of_settings_is_the_one_that_the_code_makes() -> None:
    assert (DOCS / "gateway-settings.md").read_text(encoding="utf-8") == page()


def test_every_message_that_is_a_warning_or_an_error_is_on_the_page_and_no_other() -> None:
    assert explained(OPERATIONS) == troubles(sources("gateway"))


def test_the_page_of_the_api_is_the_one_that_the_table_of_routes_makes() -> None:
    assert (DOCS / "gateway-api.md").read_text(encoding="utf-8") == api_page(ROUTES)


def test_the_page_for_operators_shows_how_tokens_are_made_and_ended() -> None:
    assert {line.split()[1] for line in LINES} >= {"make", "list", "rotate", "revoke"}


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_of_the_page_is_accepted(line: str) -> None:
    parse(shlex.split(line))


def test_settings_that_the_page_writes_out_are_taken_as_they_stand() -> None:
    assert len(ASSIGNED) >= 6
    together = {name: value.strip('"') for name, value in ASSIGNED}
    for name, value in ASSIGNED:
        Settings.from_environ({**together, name: value.strip('"')})


def test_settings_that_the_page_names_exist() -> None:
    known = {declared.name for declared in Settings.variables()}
    named = set(re.findall(r"\bGATEWAY_[A-Z_]+\b", OPERATIONS))

    assert named
    assert named - known == set()


def test_each_test_that_the_page_of_differences_names_is_there() -> None:
    page = (DOCS / "gateway-compatibility.md").read_text(encoding="utf-8")
    named = {*re.findall(r"`(test_\w+)`", page)}
    sources = (path.read_text(encoding="utf-8") for path in (PROJECT / "tests").rglob("test_*.py"))
    there = {name for text in sources for name in re.findall(r"def (test_\w+)", text)}

    assert named
    assert named - there == set()


def test_every_key_that_is_null_is_on_the_page_of_differences() -> None:
    page = (DOCS / "gateway-compatibility.md").read_text(encoding="utf-8")
    missing = [
        key for key in NOT_TOLD if f"`{key}`" not in page and not key.startswith("ntasks_per")
    ]

    assert missing == []
