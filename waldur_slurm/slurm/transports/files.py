"""A user's files through a hand: `Files` says what can be done, `UserFiles` has it done.

Paths are absolute and below a root of the user; a name that is no UTF-8 has lone surrogates, as
Python's own file names have. Whatever is large streams, both ways.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from waldur_slurm.errors import FileFailed, TransportError
from waldur_slurm.hand import wire
from waldur_slurm.hand.requests import to_wire
from waldur_slurm.slurm.transports.hands import Answer, Hand, Part, believed, spelt, whole


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


class Files(Protocol):
    """The files of one user: the system refuses by `FileFailed`, root by `NotPermitted`."""

    def make(self, path: str, *, mode: int = 0o777, parents: bool = False) -> bool:
        """Make a directory; say whether it was not there before."""
        ...

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
        ...

    def take(self, path: str, *, offset: int = 0, length: int | None = None) -> Taken:
        """Open a file for reading from `offset`, below 0 from its end."""
        ...

    def list(self, path: str, *, depth: int = 1, most: int = 10_000) -> Listing: ...

    def look(self, path: str) -> FileFacts | None:
        """Say what is there, links not followed; None where there is nothing."""
        ...

    def zip_out(self, path: str, *, most: int, compress: bool = False) -> Iterator[bytes]:
        """Yield a directory as a zip file, without the links in it."""
        ...

    def zip_in(
        self, path: str, content: Iterable[bytes], *, most: int, most_entries: int = 10_000
    ) -> int:
        """Unpack an archive into a directory, all or nothing; return how many entries it had."""
        ...

    def remove(self, path: str, *, keep: Iterable[str] = ()) -> int:
        """Remove a file or a tree, or what a directory holds beside `keep`; return how much."""
        ...


class UserFiles:
    """The files of one user, each act a conversation with the hand."""

    def __init__(self, hand: Hand, user: str, *, silence: timedelta) -> None:
        self._hand = hand
        self._user = user
        self._silence = silence

    def make(self, path: str, *, mode: int = 0o777, parents: bool = False) -> bool:
        facts = self._told(to_wire("make", self._user, path=path, mode=mode, parents=parents))
        return facts.get("made") is True

    def put(
        self,
        path: str,
        content: Iterable[bytes],
        *,
        most: int,
        mode: int = 0o666,
        replace: bool = True,
    ) -> FileFacts:
        request = to_wire("put", self._user, path=path, mode=mode, most=most, replace=replace)
        return _facts(self._told(request, content))

    def take(self, path: str, *, offset: int = 0, length: int | None = None) -> Taken:
        request = to_wire("take", self._user, path=path, offset=offset, length=length)
        said, parts = self._opened(request)
        return Taken(_facts(said), whole(said, "offset"), _content(parts))

    def list(self, path: str, *, depth: int = 1, most: int = 10_000) -> Listing:
        request = to_wire("list", self._user, path=path, depth=depth, most=most)
        lines: list[bytes] = []
        is_whole = False
        for each in self._asked(request):
            if isinstance(each, Part):
                lines.append(each.payload)
                if len(lines) > most:
                    raise TransportError(f"the hand listed more than {most} entries")
            else:
                is_whole = each.facts.get("all") is True
        return Listing(tuple(map(_listed, lines)), is_whole)

    def look(self, path: str) -> FileFacts | None:
        try:
            return _facts(self._told(to_wire("stat", self._user, path=path)))
        except FileFailed as failed:
            if failed.errno != "ENOENT":
                raise
            return None

    def zip_out(self, path: str, *, most: int, compress: bool = False) -> Iterator[bytes]:
        request = to_wire("zip-out", self._user, path=path, most=most, compress=compress)
        return _content(self._opened(request)[1])

    def zip_in(
        self, path: str, content: Iterable[bytes], *, most: int, most_entries: int = 10_000
    ) -> int:
        request = to_wire("zip-in", self._user, path=path, most=most, most_entries=most_entries)
        return whole(self._told(request, content), "entries")

    def remove(self, path: str, *, keep: Iterable[str] = ()) -> int:
        facts = self._told(to_wire("remove", self._user, path=path, keep=[*keep]))
        return whole(facts, "removed")

    def _told(
        self, request: Mapping[str, object], content: Iterable[bytes] = ()
    ) -> Mapping[str, Any]:
        for each in self._asked(request, content):
            if isinstance(each, Answer):
                return each.facts
        raise TransportError("the hand did not answer")

    def _opened(
        self, request: Mapping[str, object]
    ) -> tuple[Mapping[str, Any], Iterator[Part | Answer]]:
        """Return what is said before the data, when it is known whether there will be any."""
        parts = self._asked(request)
        first = next(parts)
        if not isinstance(first, Part) or first.kind != wire.FACTS:
            raise TransportError("the hand did not say what it opened")
        return spelt(first.payload), parts

    def _asked(
        self, request: Mapping[str, object], content: Iterable[bytes] = ()
    ) -> Iterator[Part | Answer]:
        return believed(self._hand, request, content, self._silence, str(request["path"]))


def _content(parts: Iterator[Part | Answer]) -> Iterator[bytes]:
    for each in parts:
        if isinstance(each, Part) and each.kind == wire.DATA:
            yield each.payload


def _listed(line: bytes) -> Listed:
    said = spelt(line)
    return Listed(str(said.get("path")), _facts(said))


def _facts(said: Mapping[str, Any]) -> FileFacts:
    return FileFacts(
        kind=str(said.get("kind")),
        size=whole(said, "size"),
        mode=whole(said, "mode"),
        mtime_ns=whole(said, "mtime_ns"),
        inode=whole(said, "inode"),
    )
