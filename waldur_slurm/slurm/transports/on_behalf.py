"""Slurm's tools and a user's files, as that user: `of(user)` gives both.

Nothing is decided here: the hand refuses what its grammar or root's hand.conf does not hold. Paths
are text; bytes that are no UTF-8 are lone surrogates, as Python's own file names have them.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from waldur_slurm.errors import FileFailed, NotPermitted, TransportError
from waldur_slurm.hand import wire
from waldur_slurm.hand.requests import MOST_TIMEOUT_S, to_wire
from waldur_slurm.processes.output import Capture, LineCutter
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.transports.hands import Answer, Hand, Part, asked, spoken

GRACE = timedelta(seconds=15)
SILENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file: `kind` is file, directory, link or other."""

    kind: str
    size: int
    mode: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry; its path is relative to what was listed."""

    path: str
    facts: FileFacts


@dataclass(frozen=True, slots=True)
class Listing:
    entries: tuple[Listed, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A file, or a part of one; `content` has to be read to its end to be believed."""

    facts: FileFacts
    offset: int
    content: Iterator[bytes]


class UserCommands:
    """A `Transport` that runs Slurm's tools as one user: sbatch, scancel and scontrol, no others.

    `environ` may hold what `hand.options.TOOL_ENVIRON` lists. What a job shall have goes into
    `variables`: sbatch then gives the job exactly those, whatever they hold.
    """

    def __init__(self, hand: Hand, user: str, *, timeout: timedelta, most_output: int) -> None:
        self._hand = hand
        self._user = user
        self._timeout = timeout
        self._most_output = most_output

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed:
        capture = Capture(argv[0], self._most_output)
        code = -1
        for each in self._parts(argv, stdin, environ, timeout, variables):
            if isinstance(each, Part):
                capture.add(each.kind == wire.DATA, each.payload)
            else:
                code = _whole(each.facts, "code")
        return capture.completed(code)

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        cutter = LineCutter(argv[0])
        errors = Capture(argv[0], self._most_output)
        for each in self._parts(argv, "", environ, timeout, None):
            if not isinstance(each, Part):
                yield from cutter.rest()
                believe(errors.completed(_whole(each.facts, "code")))
            elif each.kind == wire.DATA:
                yield from cutter.cut(each.payload)
            else:
                errors.add(False, each.payload)

    def _parts(
        self,
        argv: tuple[str, ...],
        stdin: str,
        environ: Mapping[str, str] | None,
        timeout: timedelta | None,
        variables: Mapping[str, str] | None,
    ) -> Iterator[Part | Answer]:
        allowed = timeout or self._timeout
        request = to_wire(
            "slurm",
            self._user,
            argv=[*argv],
            environ=dict(environ or {}),
            variables=None if variables is None else dict(variables),
            timeout_s=min(math.ceil(allowed.total_seconds()), MOST_TIMEOUT_S),
        )
        return _believed(self._hand, request, (stdin.encode(),), allowed + GRACE, argv[0])


class UserFiles:
    """A user's files, below the roots that root gave him; whatever moves, streams."""

    def __init__(self, hand: Hand, user: str, *, silence: timedelta) -> None:
        self._hand = hand
        self._user = user
        self._silence = silence

    def make(self, path: str, *, mode: int = 0o777, parents: bool = False) -> bool:
        """Make a directory; say whether it was not there before."""
        facts = self._told(to_wire("make", self._user, path=path, mode=mode, parents=parents))
        return bool(facts["made"])

    def put(
        self,
        path: str,
        content: Iterable[bytes],
        *,
        most: int,
        mode: int = 0o666,
        replace: bool = True,
    ) -> FileFacts:
        """Write a file: whole, or not at all; EEXIST where it is there and may not be replaced."""
        request = to_wire("put", self._user, path=path, mode=mode, most=most, replace=replace)
        return _facts(self._told(request, content))

    def take(self, path: str, *, offset: int = 0, length: int | None = None) -> Taken:
        """Open a file for reading from `offset`, below 0 from its end."""
        request = to_wire("take", self._user, path=path, offset=offset, length=length)
        parts = self._asked(request)
        first = next(parts)
        if not isinstance(first, Part) or first.kind != wire.FACTS:
            raise TransportError("the hand did not say what it opened")
        said = json.loads(first.payload)
        return Taken(_facts(said), _whole(said, "offset"), _content(parts))

    def list(self, path: str, *, depth: int = 1, most: int = 10_000) -> Listing:
        request = to_wire("list", self._user, path=path, depth=depth, most=most)
        lines: list[bytes] = []
        is_whole = False
        for each in self._asked(request):
            if isinstance(each, Part):
                lines.append(each.payload)
            else:
                is_whole = bool(each.facts["all"])
        return Listing(tuple(map(_listed, lines)), is_whole)

    def look(self, path: str) -> FileFacts | None:
        """Say what is there, links not followed; None where there is nothing."""
        try:
            return _facts(self._told(to_wire("stat", self._user, path=path)))
        except FileFailed as failed:
            if failed.errno != "ENOENT":
                raise
            return None

    def zip_out(self, path: str, *, most: int, compress: bool = False) -> Iterator[bytes]:
        """Yield a directory as a zip file, without the links in it."""
        request = to_wire("zip-out", self._user, path=path, most=most, compress=compress)
        return _content(self._asked(request))

    def zip_in(
        self, path: str, content: Iterable[bytes], *, most: int, most_entries: int = 10_000
    ) -> int:
        """Unpack an archive into a directory, all or nothing; return how many entries it had."""
        request = to_wire("zip-in", self._user, path=path, most=most, most_entries=most_entries)
        return _whole(self._told(request, content), "entries")

    def remove(self, path: str, *, keep: Iterable[str] = ()) -> int:
        """Remove a file or a tree, or what a directory holds beside `keep`; return how much."""
        facts = self._told(to_wire("remove", self._user, path=path, keep=[*keep]))
        return _whole(facts, "removed")

    def _told(
        self, request: Mapping[str, object], content: Iterable[bytes] = ()
    ) -> Mapping[str, Any]:
        for each in self._asked(request, content):
            if isinstance(each, Answer):
                return each.facts
        raise TransportError("the hand did not answer")

    def _asked(
        self, request: Mapping[str, object], content: Iterable[bytes] = ()
    ) -> Iterator[Part | Answer]:
        return _believed(self._hand, request, content, self._silence, str(request["path"]))


@dataclass(frozen=True, slots=True)
class Behalf:
    """What can be done as one user."""

    commands: UserCommands
    files: UserFiles


class OnBehalf:
    """Acts as users through a hand."""

    def __init__(
        self,
        hand: Hand,
        *,
        timeout: timedelta = timedelta(minutes=1),
        silence: timedelta = SILENCE,
        most_output: int = 16 * 1024 * 1024,
    ) -> None:
        self._hand = hand
        self._timeout = timeout
        self._silence = silence
        self._most_output = most_output

    def of(self, user: str) -> Behalf:
        commands = UserCommands(
            self._hand, user, timeout=self._timeout, most_output=self._most_output
        )
        return Behalf(commands, UserFiles(self._hand, user, silence=self._silence))


def _believed(
    hand: Hand,
    request: Mapping[str, object],
    content: Iterable[bytes],
    silence: timedelta,
    about: str,
) -> Iterator[Part | Answer]:
    """Yield what is said; an answer that is not "done" is raised as what it means."""
    with closing(hand.open(str(request["user"]), asked(request, content), silence)) as heard:
        for each in spoken(heard):
            if isinstance(each, Answer) and each.outcome != wire.DONE:
                raise _error(each, about)
            yield each


def _error(answer: Answer, about: str) -> Exception:
    if answer.outcome == wire.REFUSED:
        return NotPermitted(answer.why)
    if answer.errno == "ETIMEDOUT":
        return TransportError(f"{about}: {answer.why}")
    return FileFailed(answer.why, answer.errno)


def _content(parts: Iterator[Part | Answer]) -> Iterator[bytes]:
    for each in parts:
        if isinstance(each, Part) and each.kind == wire.DATA:
            yield each.payload


def _listed(line: bytes) -> Listed:
    said = json.loads(line)
    return Listed(str(said["path"]), _facts(said))


def _facts(said: Mapping[str, Any]) -> FileFacts:
    return FileFacts(
        kind=str(said["kind"]),
        size=_whole(said, "size"),
        mode=_whole(said, "mode"),
        mtime_ns=_whole(said, "mtime_ns"),
        inode=_whole(said, "inode"),
    )


def _whole(said: Mapping[str, Any], key: str) -> int:
    value = said.get(key)
    if not isinstance(value, int):
        raise TransportError(f"the hand cannot be understood: {key} is {str(value)[:80]!r}")
    return value
