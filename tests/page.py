"""What a page of the documentation gives a person to type, read from the page itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PART = re.compile(
    r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """Lines that are typed one after the other into one shell, or written into one file."""

    section: str
    language: str
    lines: tuple[str, ...]


def read_blocks(page: Path) -> Iterator[Block]:
    section = ""
    for found in _PART.finditer(page.read_text(encoding="utf-8")):
        section = found["heading"] or section
        if found["text"] is not None:
            whole = found["text"].replace("\\\n", "").splitlines()
            lines = tuple(line for line in whole if line.strip() and not line.startswith("#"))
            yield Block(section, found["language"], lines)
