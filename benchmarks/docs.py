"""Puts the figures where people read them: between two marks in docs/benchmarks.md."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import markdown
from benchmarks.rows import Row

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: `make bench ARGS=--write-docs` puts them here -->\n"
END = "<!-- end of the figures -->\n"


class NoPlace(Exception):
    """The page has lost the marks that the figures stand between."""


def write_docs(rows: Sequence[Row], command: str, page: Path = PAGE) -> None:
    cores, load = os.cpu_count(), ", ".join(f"{load:.1f}" for load in os.getloadavg())
    said = (
        f"`{command}` on {datetime.now(UTC):%Y-%m-%d}; {cores} cores, "
        f"load average over the last 1, 5 and 15 minutes {load}:\n"
    )
    page.write_text(with_figures(page.read_text(), f"{said}\n{markdown(rows)}"))


def with_figures(text: str, figures: str) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NoPlace(f"expected {BEGIN.strip()!r}, and {END.strip()!r} after it")
    return f"{before}{begin}\n{figures}\n{end}{after}"
