"""Directories and all that is in them: list, remove. Descriptor by descriptor, no link followed."""

import errno
import json
import os
import stat
from collections.abc import Generator
from contextlib import closing
from itertools import islice

from waldur_slurm.hand import files, paths, wire
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Failed
from waldur_slurm.hand.paths import Parts, Roots
from waldur_slurm.hand.requests import MOST_DEPTH, MOST_ENTRIES, List, Remove


def names_in(descriptor: int, most: int = MOST_ENTRIES + 1) -> list[bytes]:
    """Return the names in an open directory, sorted; of more than `most` any so many."""
    again = os.open(".", paths.DIRECTORY, dir_fd=descriptor)
    try:
        with os.scandir(again) as entries:
            return sorted(os.fsencode(entry.name) for entry in islice(entries, most))
    finally:
        os.close(again)


def list_tree(act: List, roots: Roots, talk: Conversation) -> None:
    place = roots.place(act.path)
    listed = 0
    with (
        paths.directory(place.root, place.names) as top,
        closing(_walked(top, (), act.depth)) as walk,
    ):
        for path, found in walk:
            if listed == act.most:
                talk.done({"listed": listed, "all": False})
                return
            listed += 1
            entry = {"path": wire.to_text(b"/".join(path)), **files.facts_of(found)}
            talk.data(json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n")
    talk.done({"listed": listed, "all": True})


def _walked(
    within: int, path: Parts, depth: int
) -> Generator[tuple[Parts, os.stat_result], None, None]:
    """Yield what there is, directories before what they hold; what vanishes is not there."""
    for name in names_in(within):
        try:
            found = os.stat(name, dir_fd=within, follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield (*path, name), found
        if depth > 1 and stat.S_ISDIR(found.st_mode):
            beneath = _enter(name, within)
            if beneath is not None:
                try:
                    yield from _walked(beneath, (*path, name), depth - 1)
                finally:
                    os.close(beneath)


def _enter(name: bytes, within: int) -> int | None:
    """Open a directory, unless it is one no more or nobody may look into it."""
    try:
        return os.open(name, paths.DIRECTORY, dir_fd=within)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES):
            return None
        raise


def remove(act: Remove, roots: Roots, talk: Conversation) -> None:
    place = roots.place(act.path)
    try:
        if act.keep:
            with paths.directory(place.root, place.names) as top:
                removed = _empty(top, {*act.keep}, 1)
        else:
            with paths.parent(place, act.path) as (within, name):
                removed = remove_one(name, within)
    except OSError as error:
        raise paths.failed(error, act.path) from error
    talk.done({"removed": removed})


def remove_one(name: bytes, within: int) -> int:
    """Remove what has that name, whatever it is; return how many names went."""
    return _remove(name, within, 1)


def _remove(name: bytes, within: int, depth: int) -> int:
    try:
        os.unlink(name, dir_fd=within)
    except FileNotFoundError:
        return 0
    except (IsADirectoryError, PermissionError) as error:
        return _remove_directory(name, within, depth, error)
    return 1


def _empty(within: int, kept: set[bytes], depth: int) -> int:
    """Remove what an open directory holds, a bounded number of names at a time."""
    removed = 0
    while names := [name for name in names_in(within) if name not in kept]:
        removed += sum(_remove(name, within, depth) for name in names)
    return removed


def _remove_directory(name: bytes, within: int, depth: int, error: OSError) -> int:
    """Empty a directory through its descriptor; `error` is why it could not simply go."""
    if depth > MOST_DEPTH:
        raise Failed(f"the tree is deeper than {MOST_DEPTH} directories", errno.ELOOP)
    beneath = _enter(name, within)
    if beneath is None:
        raise error
    try:
        removed = _empty(beneath, set(), depth + 1)
    finally:
        os.close(beneath)
    os.rmdir(name, dir_fd=within)
    return removed + 1
