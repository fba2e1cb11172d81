"""What a person types of the README: its lines of shell, read from the page itself.

Every section that has such lines is typed by a test, as it stands; `TYPED_BY` says by which.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.places import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")

TYPED_BY = {
    "Try it": "tests/packaging/test_readme.py",
    "Install": "tests/packaging/test_head_node.py",
    "As systemd services": "tests/packaging/test_head_node.py",
    "Several offerings on one host": "tests/packaging/test_head_node.py",
    "With docker compose": "tests/e2e/test_compose.py",
    "What is sold: the TRES configuration": "tests/packaging/test_head_node.py",
    "The offering in Waldur": "tests/packaging/test_head_node.py",
    "Development": "tests/packaging/test_readme.py",
}


@dataclass(frozen=True)
class Block:
    """Lines that are typed one after the other into one shell."""

    section: str
    lines: tuple[str, ...]


def blocks(section: str) -> list[Block]:
    return [block for block in all_blocks() if block.section == section]


def lines(section: str) -> list[str]:
    return [line for block in blocks(section) for line in block.lines]


def all_blocks() -> Iterator[Block]:
    section = ""
    for heading, indent, language, text in re.findall(
        r"^#+ ([^\n]+)$|^( *)```(\w*)\n(.*?)^ *```$", README, re.MULTILINE | re.DOTALL
    ):
        section = heading or section
        if language == "bash":
            yield Block(section, tuple(_typed(text, len(indent))))


def languages() -> set[str]:
    """Of all that the page shows as code."""
    return set(re.findall(r"^ *```(\w+)$", README, re.MULTILINE))


def commands() -> list[str]:
    """What the table of commands names, with its placeholders."""
    table = README.partition("\n## Commands\n")[2].partition("\n\n## ")[0]
    cells = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[2:]
    return [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]


def _typed(text: str, indent: int) -> Iterator[str]:
    """Whole commands, without what the list around them moves to the right."""
    whole = "\n".join(line[indent:] for line in text.splitlines()).replace("\\\n", "")
    return (line for line in whole.splitlines() if line.strip() and not line.startswith("#"))
