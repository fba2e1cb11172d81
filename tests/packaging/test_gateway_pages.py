"""The gateway's pages, held to the code."""

import re

from tests.packaging.messages import explained, sources, troubles
from tests.places import PROJECT
from tests.unit.gateway.web.seeds.differences import NOT_TOLD
from waldur_slurm.gateway.settings.reference import page
from waldur_slurm.gateway.web.openapi import page as api_page
from waldur_slurm.gateway.web.routes import ROUTES

DOCS = PROJECT / "docs"


def test_the_page_of_settings_is_the_one_that_the_code_makes() -> None:
    assert (DOCS / "gateway-settings.md").read_text(encoding="utf-8") == page()


def test_every_message_that_is_a_warning_or_an_error_is_on_the_page_and_no_other() -> None:
    written = (DOCS / "gateway-operations.md").read_text(encoding="utf-8")

    assert explained(written) == troubles(sources("gateway"))


def test_the_page_of_the_api_is_the_one_that_the_table_of_routes_makes() -> None:
    assert (DOCS / "gateway-api.md").read_text(encoding="utf-8") == api_page(ROUTES)


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
