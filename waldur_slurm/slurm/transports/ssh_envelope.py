r"""What is sent to a far shell to run one command, and what comes back around its output. Pure.

The far command line is the same for every command: the command itself follows on stdin, because
a command line can be read by everybody there. Its output comes between two marks that are made
for this one command: what stands before the first was said by ssh or by a login script, and only
output with both marks is whole. The exit code stands behind the second, so that ssh's own 255 is
never taken for the command's.
"""

import re
import shlex
from collections.abc import Mapping

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Argv

LOADER = """exec /bin/sh -c 'IFS= read -r p && eval "$(printf %b "$p")"'"""
"""Reads one line and obeys it; every login shell understands it. What follows is the stdin."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_NOISE = 65_536
_CODE = re.compile(rb"([0-9]+)\n")


def envelope(argv: Argv, environ: Mapping[str, str], *, seconds: float, mark: str) -> bytes:
    """One line that makes the loader run `argv` for `seconds` at most, and mark its output.

    Strings stand for bytes as they do for local processes (surrogateescape).
    """
    _refuse_what_no_process_takes(argv, environ)
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environ.items()]
    begin, end = f"printf %s {begin_mark(mark)}", f"printf '{end_mark(mark)}%s\\n' $1"
    lines = (
        *exports,
        begin,
        f"{begin} >&2",
        f"timeout -s KILL {seconds:g} {shlex.join(argv)}",
        "set -- $?",
        end,
        f"{end} >&2",
    )
    return _on_one_line("\n".join(lines).encode("utf-8", errors="surrogateescape"))


def begin_mark(mark: str) -> str:
    return f"{mark}+"


def end_mark(mark: str) -> str:
    return f"{mark}-"


def _refuse_what_no_process_takes(argv: Argv, environ: Mapping[str, str]) -> None:
    if any("\0" in word for word in (*argv, *environ.values())):
        raise TransportError(f"{argv[0]} cannot be started: a word or variable holds a NUL byte")
    for name in environ:
        if not _VARIABLE.fullmatch(name):
            raise TransportError(f"{argv[0]} cannot be started: no shell exports {name!r}")


def _on_one_line(program: bytes) -> bytes:
    r"""Write all but plain characters as \0ooo: old shells' `read` has its own view of others."""
    plain = (chr(b) if 0x20 <= b < 0x7F and b != 0x5C else f"\\0{b:03o}" for b in program)
    return "".join(plain).encode() + b"\n"


class Frame:
    """One stream of one command: takes what arrives, gives what the command wrote."""

    def __init__(self, mark: str) -> None:
        self._begin = begin_mark(mark).encode()
        self._end = end_mark(mark).encode()
        self._held = b""
        self.has_begun = False
        self._is_behind = False

    @property
    def noise(self) -> bytes:
        """What was said although the command had not begun."""
        return b"" if self.has_begun else self._held

    @property
    def code(self) -> int | None:
        """How the command ended; None while that is unknown, and for good where output is lost."""
        found = _CODE.match(self._held) if self._is_behind else None
        return int(found[1]) if found else None

    def cut(self, data: bytes) -> bytes:
        self._held += data
        if not self.has_begun:
            before, found, after = self._held.partition(self._begin)
            self.has_begun = bool(found)
            self._held = after if found else before[-_MOST_NOISE:]
        return self._written() if self.has_begun and not self._is_behind else b""

    def _written(self) -> bytes:
        written, found, after = self._held.partition(self._end)
        if found:
            self._is_behind, self._held = True, after
            return written
        certain = len(written) - self._half_a_mark(written)
        self._held = written[certain:]
        return written[:certain]

    def _half_a_mark(self, written: bytes) -> int:
        """Return how many bytes at the end may be the beginning of the mark."""
        longest = min(len(self._end) - 1, len(written))
        sizes = range(longest, 0, -1)
        return next((size for size in sizes if written.endswith(self._end[:size])), 0)
