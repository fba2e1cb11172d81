"""A plan on paper: sections of lines for people, one JSON object for machines. Pure."""

from collections.abc import Iterable
from enum import Enum

NOTHING_TO_DO = "Nothing to do.\n"


class Kind(Enum):
    """What a plan comes to; the values are the exit codes of `plan`."""

    NOTHING = 0
    CHANGES = 10
    DRIFT_ONLY = 11

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")


def kind_of(*, has_steps: bool, has_findings: bool) -> Kind:
    if has_steps:
        return Kind.CHANGES
    return Kind.DRIFT_ONLY if has_findings else Kind.NOTHING


def to_text(sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Lay out titles and their lines; a section without lines is left out."""
    whole = ((title, list(lines)) for title, lines in sections)
    return "\n".join(_section(title, lines) for title, lines in whole if lines) or NOTHING_TO_DO


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title} ({len(lines)})", *map(_one_line, lines), ""])


def _one_line(text: str) -> str:
    """What somebody called something must not look like a line of the plan."""
    return text.replace("\n", "\\n")
