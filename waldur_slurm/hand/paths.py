"""Below the roots, and nowhere else: every path is walked from a root's descriptor, name by name.

A root is opened once, its own links followed: root wrote it. From there on no link is followed,
neither on the way nor at the end, and no name leads up; what is opened is held by its descriptor,
so that a name that is swapped meanwhile changes nothing. That is what `openat2` does with
RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, on every kernel and without ctypes.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from waldur_slurm.hand import wire
from waldur_slurm.hand.errors import Failed, Refused
from waldur_slurm.hand.people import Person

WAY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW

Parts = tuple[bytes, ...]


class Root(NamedTuple):
    """An open root, and the two ways to write it: as hand.conf does, and without links."""

    descriptor: int
    names: tuple[Parts, Parts]


class Place(NamedTuple):
    """What a path means: names below a root; none for the root itself."""

    root: int
    names: Parts


class Roots:
    """The roots of one user that are there."""

    def __init__(self, templates: Sequence[str], person: Person) -> None:
        found = (_open_root(template, person) for template in templates)
        self._roots = [root for root in found if root is not None]

    def place(self, path: Parts) -> Place:
        """Find the root that a path lies below: the deepest, where they lie in each other."""
        best: Place | None = None
        for root in self._roots:
            for names in root.names:
                rest = path[len(names) :]
                if path[: len(names)] == names and (best is None or len(rest) < len(best.names)):
                    best = Place(root.descriptor, rest)
        if best is None:
            raise Refused(f"{shown(path)} lies below none of the roots that are there")
        return best


@contextmanager
def parent(place: Place, path: Parts) -> Iterator[tuple[int, bytes]]:
    """Open the directory that holds what a path names, and say its name there."""
    if not place.names:
        raise Refused(f"{shown(path)} is a root, which stays as it is")
    with walked(place.root, place.names[:-1]) as descriptor:
        yield descriptor, place.names[-1]


@contextmanager
def walked(start: int, names: Parts) -> Iterator[int]:
    """Open one directory after the other; what is no directory, a link above all, ends it."""
    descriptor = os.open(".", WAY, dir_fd=start)
    try:
        for at, name in enumerate(names):
            beneath = opened(name, WAY, descriptor, names[: at + 1])
            os.close(descriptor)
            descriptor = beneath
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def directory(start: int, names: Parts) -> Iterator[int]:
    """Open a directory to list it."""
    with walked(start, names) as descriptor:
        listed = opened(b".", DIRECTORY, descriptor, names)
        try:
            yield listed
        finally:
            os.close(listed)


def open_file(name: bytes, within: int) -> int:
    """Open a regular file to read it; whatever else has the name is not waited for."""
    descriptor = opened(name, READ, within, (name,))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Failed(f"{wire.to_text(name)} is not a file")
    return descriptor


def opened(name: bytes, flags: int, within: int, path: Parts) -> int:
    try:
        return os.open(name, flags, 0o600, dir_fd=within)
    except OSError as error:
        raise failed(error, path) from error


def failed(error: OSError, path: Parts) -> Failed:
    return Failed(f"{shown(path)}: {error.strerror}", error.errno or 0)


def shown(path: Parts) -> str:
    """Write a path as text for a message, unreadable bytes spelt out and cut to what helps."""
    return b"/".join(path)[-200:].decode("utf-8", "backslashreplace")


def _open_root(template: str, person: Person) -> Root | None:
    written = template.replace("{home}", person.home).replace("{user}", person.name)
    path = wire.to_bytes(os.path.normpath(written))
    try:
        descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None
    real = os.readlink(f"/proc/self/fd/{descriptor}".encode())  # noqa: PTH115 - bytes
    return Root(descriptor, (_names(path), _names(real)))


def _names(path: bytes) -> Parts:
    return tuple(name for name in path.split(b"/") if name)
