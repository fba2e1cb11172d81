"""The page of facts names tests that exist."""

import re

from tests.places import PROJECT


def test_every_test_that_the_page_of_facts_names_exists() -> None:
    page = (PROJECT / "docs" / "slurm-facts.md").read_text()
    named = set(re.findall(r"\btest_\w+(?!\w*\.py)\b", re.sub(r"[\w/]+\.py", "", page)))
    folders = (PROJECT / "tests" / "contract", PROJECT / "tests" / "e2e")
    sources = "\n".join(file.read_text() for folder in folders for file in folder.rglob("*.py"))
    existing = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    assert named
    assert named - existing == set()
