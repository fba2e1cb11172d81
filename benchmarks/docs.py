"""Puts the figures where people read them: between each measurement's marks in docs/benchmarks.md.

What a run did not measure stays as it was, with the command and the day that it is from.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import markdown
from benchmarks.rows import Said, rows_of, words_of

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class NoPlace(Exception):
    """The page has lost the marks that the figures stand between."""


def begin_of(name: str) -> str:
    return f'<!-- figures of {name}: `make bench ARGS="{name} --write-docs"` puts them here -->\n'


def end_of(name: str) -> str:
    return f"<!-- end of the figures of {name} -->\n"


def write_docs(measured: Mapping[str, Sequence[Said]], command: str, page: Path = PAGE) -> None:
    cores, load = os.cpu_count(), ", ".join(f"{load:.1f}" for load in os.getloadavg())
    said = (
        f"`{command}` on {datetime.now(UTC):%Y-%m-%d}; {cores} cores, "
        f"load average over the last 1, 5 and 15 minutes {load}:\n"
    )
    text = page.read_text()
    for name, told in measured.items():
        more = "".join(f"\n{words}\n" for words in words_of(told))
        text = with_figures(text, name, f"{said}\n{markdown(rows_of(told))}{more}")
    page.write_text(text)


def with_figures(text: str, name: str, figures: str) -> str:
    begin, end = begin_of(name), end_of(name)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise NoPlace(f"expected {begin.strip()!r}, and {end.strip()!r} after it")
    return f"{before}{begin}\n{figures}\n{end}{after}"
