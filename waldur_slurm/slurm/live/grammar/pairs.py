"""`Name=value` words of `scontrol --oneliner show`: a line a thing. Pure.

Free text of administrators stands towards the end of a line and may look like further words, so
of two words under one name the first is taken. Nothing is read by this that a job's owner wrote.
"""

import re
from collections.abc import Iterator

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.slurm.grammar.rows import lines_of

_NAME = re.compile(r"(?:^| )([A-Z][A-Za-z_]*)=")


class Pairs(dict[str, str]):
    """The words of one thing; one that is missing makes all of it unreadable."""

    def __missing__(self, name: str) -> str:
        told = " ".join(f"{key}={value}" for key, value in self.items())
        raise UnparsableOutput(f"no {name} in {told[:200]!r}")


def parse_things(text: str, kind: str) -> Iterator[tuple[str, Pairs]]:
    """Read each line that begins with `kind=`, as it is and as words.

    A line that begins otherwise belongs to the one before it, or says that there is nothing.
    """
    pending: list[str] = []
    for line in lines_of(text):
        if line.startswith(f"{kind}=") and pending:
            yield _thing(pending)
            pending = []
        if pending or line.startswith(f"{kind}="):
            pending.append(line)
    if pending:
        yield _thing(pending)


def _thing(lines: list[str]) -> tuple[str, Pairs]:
    line = "\n".join(lines).strip()
    pieces = _NAME.split(line)[1:]
    words = Pairs()
    for name, value in zip(pieces[::2], pieces[1::2], strict=True):
        words.setdefault(name, value.strip())
    return line, words
