"""A directory as a zip file, written while it is read. Links are not followed, nor stored.

What is a link or no file, may not be read or vanishes meanwhile is left out and counted. What grows
meanwhile is sent as long as it was when it was opened, what shrinks as long as it is.
"""

import os
import stat
import time
import zipfile

from waldur_slurm.hand import files, paths, trees, wire
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Failed
from waldur_slurm.hand.paths import Parts, Roots
from waldur_slurm.hand.requests import MOST_DEPTH, MOST_ENTRIES, ZipOut

FIRST, LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
NEEDS_ZIP64 = 2**31 - 1


def zip_out(act: ZipOut, roots: Roots, talk: Conversation) -> None:
    place = roots.place(act.path)
    with paths.directory(place.root, place.names) as top:
        talk.facts({})
        with zipfile.ZipFile(_Sink(talk), "w") as archive:  # type: ignore[call-overload]  # it only writes
            packing = _Packing(archive, act)
            packing.add_all(top, ())
    talk.done({"entries": packing.entries, "bytes": packing.packed, "skipped": packing.skipped})


class _Sink:
    """What zipfile writes to: no file, so that it neither seeks nor asks where it is."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk

    def write(self, data: bytes) -> int:
        for at in range(0, len(data), wire.CHUNK):
            self._talk.data(memoryview(data)[at : at + wire.CHUNK])
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""


class _Packing:
    """One archive on its way, and what it may still hold."""

    def __init__(self, archive: zipfile.ZipFile, act: ZipOut) -> None:
        self._archive = archive
        self._method = zipfile.ZIP_DEFLATED if act.compress else zipfile.ZIP_STORED
        self._most = act.most
        self.packed = 0
        self.entries = 0
        self.skipped = 0

    def add_all(self, within: int, path: Parts) -> None:
        if len(path) > MOST_DEPTH:
            raise Failed(f"the tree is deeper than {MOST_DEPTH} directories")
        for name in trees.names_in(within):
            self._add(name, within, (*path, name))

    def _add(self, name: bytes, within: int, path: Parts) -> None:
        """Open it without asking first what it is: what was opened is what is read."""
        try:
            descriptor = os.open(name, paths.READ, dir_fd=within)
        except OSError:
            self.skipped += 1
            return
        try:
            found = os.fstat(descriptor)
            if stat.S_ISDIR(found.st_mode):
                self._archive.writestr(self._entry(path, found), b"")
                self.add_all(descriptor, path)
            elif stat.S_ISREG(found.st_mode):
                self._add_file(descriptor, found, self._entry(path, found))
            else:
                self.skipped += 1
        finally:
            os.close(descriptor)

    def _add_file(self, descriptor: int, found: os.stat_result, entry: zipfile.ZipInfo) -> None:
        with self._archive.open(entry, "w", force_zip64=found.st_size > NEEDS_ZIP64) as out:
            for data in files.read_all(descriptor, found.st_size):
                self.packed += len(data)
                if self.packed > self._most:
                    raise Failed(f"the files have more than {self._most} bytes")
                out.write(data)

    def _entry(self, path: Parts, found: os.stat_result) -> zipfile.ZipInfo:
        self.entries += 1
        if self.entries > MOST_ENTRIES:
            raise Failed(f"there are more than {MOST_ENTRIES} files and directories")
        is_directory = stat.S_ISDIR(found.st_mode)
        name = b"/".join(path).decode("utf-8", "backslashreplace") + "/" * is_directory
        moment = time.localtime(found.st_mtime)[:6]
        entry = zipfile.ZipInfo(name, min(max(moment, FIRST), LAST))
        entry.compress_type = zipfile.ZIP_STORED if is_directory else self._method
        entry.external_attr = (found.st_mode & 0xFFFF) << 16 | 0x10 * is_directory
        return entry
