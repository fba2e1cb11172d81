"""Which files of a folder are meant: `out/*.csv`, `**/*.log`. Pure.

`*` and `?` stay within one name, `**` stands for any number of directories. Names that begin with
a dot are like any others. What stands before the first pattern is where to look at all, so that a
folder with a million files elsewhere costs nothing.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

ANY_DEPTH = "**"
DEEPEST = 64
LONGEST = 1024
_SPECIAL = frozenset("*?[")


class Glob(NamedTuple):
    """`folder` is where to look, relative; `names` what has to fit below it, name by name."""

    folder: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def depth(self) -> int:
        """How many names below `folder` a path that fits may have."""
        return DEEPEST if ANY_DEPTH in self.names else len(self.names)

    def fits(self, path: str) -> bool:
        """Whether a path below `folder` is meant."""
        return _fit(self.names, path.split("/"))


def parse_glob(text: str) -> Glob:
    """Read one; the words of the error follow "expected"."""
    names = tuple(text.split("/"))
    if len(text) > LONGEST or len(names) > DEEPEST or names.count(ANY_DEPTH) > 1:
        raise ValueError(f"at most {DEEPEST} names, {LONGEST} characters and one `{ANY_DEPTH}`")
    if {"", ".", ".."} & {*names} or "\0" in text:
        raise ValueError("names below the job's folder, such as out/*.csv")
    plain = next((at for at, name in enumerate(names) if _SPECIAL & {*name}), len(names) - 1)
    return Glob(names[:plain], names[plain:])


def _fit(patterns: Sequence[str], names: Sequence[str]) -> bool:
    if ANY_DEPTH not in patterns:
        return len(patterns) == len(names) and all(map(fnmatchcase, names, patterns))
    at = patterns.index(ANY_DEPTH)
    before, after = patterns[:at], patterns[at + 1 :]
    if len(names) < len(before) + max(len(after), 1):
        return False
    rest = names[len(names) - len(after) :]
    return _fit(before, names[: len(before)]) and _fit(after, rest)
