"""CONTRIBUTING.md and SECURITY.md name folders, files and targets that there are."""

import re

import pytest

from tests.places import PROJECT

PAGES = ("CONTRIBUTING.md", "SECURITY.md")
PACKAGE = PROJECT / "waldur_slurm"
FROM = (
    PROJECT,
    PACKAGE,
    PACKAGE / "agent",
    PACKAGE / "agent" / "pull",
    PACKAGE / "agent" / "waldur",
    PACKAGE / "slurm" / "accounting",
    PACKAGE / "gateway",
)
"""Where a path on the pages may begin: the table says each in full, the recipes shorten it."""


def text_of(page: str) -> str:
    return (PROJECT / page).read_text(encoding="utf-8")


def paths_on(page: str) -> set[str]:
    spans = re.findall(r"`([^`\n]+)`", text_of(page).replace("```", ""))
    return {span for span in spans if re.fullmatch(r"[\w.*-]*(/[\w.*-]*)*(/|\.py|\.md)", span)}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_on_the_page_is_there(page: str) -> None:
    paths = paths_on(page)
    missing = {path for path in paths if not any(list(place.glob(path)) for place in FROM)}

    assert len(paths) > 4
    assert missing == set()


def test_every_target_on_the_page_can_be_made() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text_of("CONTRIBUTING.md"), re.MULTILINE))

    assert {"setup", "check", "test", "fmt"} <= named
    assert named <= known
