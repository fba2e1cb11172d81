"""An archive unpacked into a directory in full safety, or not at all.

First the whole archive is there, in a file without a name (the user's, under the user's quota).
Then its table is read, within bounds, and every name and kind in it is looked at before anything
is written. Then all is unpacked into a directory beside, and only when every byte was right does
each file get its name, over what was there.
"""

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from waldur_slurm.hand import files, paths, trees, wire
from waldur_slurm.hand.archives import BadArchive, Entry, checked_entries, open_table
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Failed, Refused
from waldur_slurm.hand.paths import Parts, Roots
from waldur_slurm.hand.requests import ZipIn

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    RuntimeError,
    ArithmeticError,
)
"""What zipfile says of archives that are none; `BadArchive` is one of these."""


def zip_in(act: ZipIn, roots: Roots, talk: Conversation) -> None:
    place = roots.place(act.path)
    with paths.directory(place.root, place.names) as top:
        try:
            with os.fdopen(_nameless(top), "r+b", buffering=0) as file:
                for data in talk.body(act.most):
                    files.write_all(file.fileno(), data)
                with open_table(file, act.most_entries) as archive:
                    entries = checked_entries(archive.infolist(), act.most)
                    size = _unpack(archive, entries, top)
        except BROKEN as error:
            raise Refused(f"the archive cannot be taken: {error}") from error
        except OSError as error:
            raise paths.failed(error, act.path) from error
    talk.done({"entries": len(entries), "bytes": size})


def _nameless(top: int) -> int:
    """Make a file that ends with its descriptor; NFS and others know no O_TMPFILE."""
    name = files.hidden_name()
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(name, flags, 0o600, dir_fd=top)
    os.unlink(name, dir_fd=top)
    return descriptor


def _unpack(archive: zipfile.ZipFile, entries: list[Entry], top: int) -> int:
    """Unpack all entries beside, then move each to its place; return how many bytes they have."""
    with _beside(top) as hidden:
        size = 0
        for number, entry in enumerate(entries):
            if not entry.is_directory:
                size += _unpack_file(archive, entry, _staged(number), hidden)
        for entry in entries:
            _check_target(entry, top)
        for number, entry in enumerate(entries):
            _move(entry, _staged(number), hidden, top)
    return size


def _staged(number: int) -> bytes:
    """Name what is unpacked by its number: no name of the archive is needed yet."""
    return str(number).encode()


def _unpack_file(archive: zipfile.ZipFile, entry: Entry, name: bytes, hidden: int) -> int:
    descriptor = os.open(name, paths.NEW, 0o600, dir_fd=hidden)
    size = 0
    try:
        with archive.open(entry.info) as content:
            while data := content.read(wire.CHUNK):
                size += len(data)
                files.write_all(descriptor, data)
        if size != entry.info.file_size:
            raise BadArchive(f"{paths.shown(entry.path)} is not as long as it says")
        os.fchmod(descriptor, entry.mode & ~files.umask())
    finally:
        os.close(descriptor)
    return size


def _check_target(entry: Entry, top: int) -> None:
    """Refuse what would have to replace a directory, or lead through what is none."""
    kinds = list(_kinds_on_the_way(entry.path, top))
    inner = kinds if entry.is_directory else kinds[: len(entry.path) - 1]
    if any(kind != "directory" for kind in inner):
        raise Refused(f"{paths.shown(entry.path)} leads through something that is no directory")
    if not entry.is_directory and len(kinds) == len(entry.path) and kinds[-1] == "directory":
        raise Refused(f"{paths.shown(entry.path)} is a directory already")


def _kinds_on_the_way(path: Parts, top: int) -> Iterator[str]:
    """Yield what stands at each name of the path, as far as there is something."""
    for depth in range(1, len(path) + 1):
        try:
            with paths.walked(top, path[: depth - 1]) as within:
                yield str(files.facts_of(files.status(path[depth - 1], within, path))["kind"])
        except Failed:
            return


def _move(entry: Entry, staged: bytes, hidden: int, top: int) -> None:
    inner = entry.path if entry.is_directory else entry.path[:-1]
    for depth in range(1, len(inner) + 1):
        with paths.walked(top, inner[: depth - 1]) as within:
            files.make_one(within, inner[depth - 1], 0o777, inner[:depth])
    if not entry.is_directory:
        with paths.walked(top, inner) as within:
            os.rename(staged, entry.path[-1], src_dir_fd=hidden, dst_dir_fd=within)


@contextmanager
def _beside(top: int) -> Iterator[int]:
    """Make a directory that nobody can guess, and remove it with all that is left in it."""
    name = files.hidden_name()
    os.mkdir(name, 0o700, dir_fd=top)
    try:
        with paths.walked(top, (name,)) as hidden:
            yield hidden
    finally:
        with suppress(OSError, Failed):
            trees.remove_one(name, top)
