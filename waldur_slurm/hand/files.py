"""One file or directory: make, put, take, stat. A file is written whole, or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from waldur_slurm.hand import paths, wire
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.paths import Parts, Roots
from waldur_slurm.hand.requests import Make, Put, Stat, Take

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
UNFINISHED = b".hand-"
"""How a name begins of what is not finished; a hand that is killed leaves it behind."""


def make(act: Make, roots: Roots, talk: Conversation) -> None:
    place = roots.place(act.path)
    if act.parents and place.names:
        for depth in range(1, len(place.names)):
            with paths.walked(place.root, place.names[: depth - 1]) as within:
                make_one(within, place.names[depth - 1], 0o777, act.path)
    with paths.parent(place, act.path) as (within, name):
        made = make_one(within, name, act.mode, act.path)
        talk.done({"made": made})


def make_one(within: int, name: bytes, mode: int, path: Parts) -> bool:
    """Make a directory unless it is there; whatever else has that name is an error."""
    try:
        os.mkdir(name, mode, dir_fd=within)
    except FileExistsError:
        os.close(paths.opened(name, paths.WAY, within, path))
        return False
    except OSError as error:
        raise paths.failed(error, path) from error
    return True


def put(act: Put, roots: Roots, talk: Conversation) -> None:
    with paths.parent(roots.place(act.path), act.path) as (within, name):
        try:
            with unfinished(within) as (hidden, descriptor):
                size = 0
                for data in talk.body(act.most):
                    size += len(data)
                    write_all(descriptor, data)
                os.fchmod(descriptor, act.mode & ~umask())
                os.fsync(descriptor)
                facts = facts_of(os.fstat(descriptor))
                settle(within, hidden, name, replace=act.replace)
        except OSError as error:
            raise paths.failed(error, act.path) from error
        talk.done(facts)


def take(act: Take, roots: Roots, talk: Conversation) -> None:
    with paths.parent(roots.place(act.path), act.path) as (within, name):
        descriptor = paths.open_file(name, within)
    try:
        found = os.fstat(descriptor)
        offset = act.offset if act.offset >= 0 else max(found.st_size + act.offset, 0)
        os.lseek(descriptor, offset, os.SEEK_SET)
        talk.facts({**facts_of(found), "offset": offset})
        sent = sum(map(len, _sent(read_all(descriptor, act.length), talk)))
    except OSError as error:
        raise paths.failed(error, act.path) from error
    finally:
        os.close(descriptor)
    talk.done({"next": offset + sent})


def look(act: Stat, roots: Roots, talk: Conversation) -> None:
    place = roots.place(act.path)
    if not place.names:
        talk.done(facts_of(os.fstat(place.root)))
        return
    with paths.parent(place, act.path) as (within, name):
        talk.done(facts_of(status(name, within, act.path)))


def status(name: bytes, within: int, path: Parts) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=within, follow_symlinks=False)
    except OSError as error:
        raise paths.failed(error, path) from error


def facts_of(found: os.stat_result) -> dict[str, object]:
    return {
        "kind": KINDS.get(stat.S_IFMT(found.st_mode), "other"),
        "size": found.st_size,
        "mode": stat.S_IMODE(found.st_mode),
        "mtime_ns": found.st_mtime_ns,
        "inode": found.st_ino,
    }


def hidden_name() -> bytes:
    return UNFINISHED + os.urandom(8).hex().encode()


@contextmanager
def unfinished(within: int) -> Iterator[tuple[bytes, int]]:
    """Make a file under a name that nobody can guess; it is gone again unless it got another."""
    hidden = hidden_name()
    descriptor = os.open(hidden, paths.NEW, 0o600, dir_fd=within)
    try:
        yield hidden, descriptor
    finally:
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(hidden, dir_fd=within)


def settle(within: int, hidden: bytes, name: bytes, *, replace: bool) -> None:
    """Give a finished file its name; a link that has it goes, what it points to does not."""
    if replace:
        os.rename(hidden, name, src_dir_fd=within, dst_dir_fd=within)
    else:
        os.link(hidden, name, src_dir_fd=within, dst_dir_fd=within, follow_symlinks=False)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def read_all(descriptor: int, length: int | None) -> Iterator[bytes]:
    """Read to the end, or as much as was asked for."""
    left = length
    while left is None or left > 0:
        data = os.read(descriptor, wire.CHUNK if left is None else min(left, wire.CHUNK))
        if not data:
            return
        left = None if left is None else left - len(data)
        yield data


def umask() -> int:
    """Return it; the system tells it only by setting one."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def _sent(parts: Iterator[bytes], talk: Conversation) -> Iterator[bytes]:
    for data in parts:
        talk.data(data)
        yield data
