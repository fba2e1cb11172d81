"""What a site's own wrapper says around every answer, which is no part of any. Pure.

It is known by evidence: words that a tool also says when it is asked for its version, which it
knows without asking anybody, prove nothing about who answers. Numbers in them may differ.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.grammar.rows import lines_of

VERSION = re.compile(r"slurm(?:-[a-z]+)? (\d+\.\d+\S*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Habit:
    """Lines before every answer, and lines that may stand on stderr."""

    banner: tuple[str, ...] = ()
    asides: frozenset[str] = field(default_factory=frozenset)

    def leaves(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return those of `words` that are more than habit."""
        return tuple(line for line in words if _shape(line) not in self.asides)

    def opens(self, head: Iterable[str]) -> bool:
        return bool(self.banner) and tuple(map(_shape, head)) == self.banner


def ask_version(tool: str) -> Argv:
    return (tool, "--version")


def learn_habit(completed: Completed) -> Habit:
    """Read what stands around the answer to `ask_version`."""
    lines = tuple(map(_shape, lines_of(completed.out)))
    own = [number for number, line in enumerate(lines_of(completed.out)) if VERSION.fullmatch(line)]
    if completed.code != 0 or not own:
        return Habit()
    return Habit(lines[: own[-1]], frozenset(map(_shape, completed.err.splitlines())))


def begins_oddly(argv: Argv, first_line: str) -> bool:
    """Say whether a listing begins as few do: with a banner, or with a text of several lines."""
    is_listing = "--parsable" in argv or any(word.endswith("|") for word in argv)
    return is_listing and not first_line.endswith("|")


def without_banner(lines: Iterator[str], habit: Habit) -> Iterator[str]:
    head = list(islice(lines, len(habit.banner)))
    if not habit.opens(head):
        yield from head
    yield from lines


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())
