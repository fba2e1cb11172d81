"""The claim that files are put into: below one directory, through no link, whole or not at all.

A file that is not whole yet lies beside its place under a name of its own, which ends in `.partial`
and belongs to the very version that it is a part of. It takes its place in one step, once the disk
has it; so whoever looks finds the former file, or the new one.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from pathlib import Path

from waldur_slurm.operator.companion.errors import CompanionError, TryAnother

SUFFIX = ".partial"
CHUNK = 256 * 1024
SYNC_EVERY = 64 * 1024 * 1024
"""What is not on the disk yet is memory, and a pod's is small."""

LONGEST_NAME = 200
"""Bytes of a name that its partial begins with: file systems take 255."""

_VERSION = re.compile(r"[0-9a-f]{16}", re.ASCII)
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_RDONLY


def names_of(path: str) -> Sequence[str]:
    """Return the names on the way to a file; raises where one of them leads elsewhere."""
    names = path.split("/")
    if any(name in ("", ".", "..") or "\0" in name for name in names):
        raise CompanionError(f"{path!a} does not lead down from the job's folder")
    return names


class Claim:
    """`root` is where it is mounted; `folder` the directory in it that is this job's."""

    def __init__(self, root: Path, folder: str) -> None:
        self._root = root
        self._folder = folder
        self._left: dict[str, Sequence[str]] = {}
        """Partials that an earlier companion left, by directory: there may be many files in one."""

    @contextmanager
    def place(self, path: str) -> Iterator["Place"]:
        """Open the directory where a file goes; make it, where it is not there."""
        *folders, name = (self._folder, *names_of(path))
        with _told(path):
            inside = os.open(self._root, _FOLDER)
            try:
                for folder in folders:
                    inside = _enter(inside, folder)
                yield Place(inside, name, path, self._left_in(path.rpartition("/")[0], inside))
            finally:
                os.close(inside)

    def _left_in(self, directory: str, inside: int) -> Sequence[str]:
        if directory not in self._left:
            names = os.listdir(inside)
            self._left[directory] = [name for name in names if name.endswith(SUFFIX)]
        return self._left[directory]


class Place:
    """Where one file goes: a name in an open directory, where an earlier one `left` partials."""

    def __init__(self, inside: int, name: str, path: str, left: Sequence[str]) -> None:
        self._inside = inside
        self._name = name
        self._path = path
        self._left = left

    def has_file_of(self, size: int) -> bool:
        """Whether a file of that size is there; raises where something else is."""
        try:
            facts = os.stat(self._name, dir_fd=self._inside, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if not stat.S_ISREG(facts.st_mode):
            raise CompanionError(f"{self._path!a} is in the claim already, and is no file")
        return facts.st_size == size

    def digest(self) -> str:
        file = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._inside)
        try:
            return _digest(file)[0].hexdigest()
        finally:
            os.close(file)

    @contextmanager
    def partial(self, tag: str) -> Iterator["Partial"]:
        """Open what is there already of a version; those of other versions go."""
        name = _partial_name(self._name, tag)
        self._remove_partials(of_others_than=name)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, 0o644, dir_fd=self._inside)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise CompanionError(f"{name!a} is in the claim already, and is no file")
            yield Partial(file)
        finally:
            os.close(file)

    def finish(self, tag: str) -> None:
        """Let the partial take the place; its content is on the disk already."""
        partial = _partial_name(self._name, tag)
        os.replace(partial, self._name, src_dir_fd=self._inside, dst_dir_fd=self._inside)
        os.fsync(self._inside)

    def drop(self, tag: str) -> None:
        """Take away what turned out to be no part of anything."""
        self._remove(_partial_name(self._name, tag))

    def _remove_partials(self, of_others_than: str) -> None:
        begin = f"{_cut(self._name)}."
        for name in self._left:
            version = name.removeprefix(begin).removesuffix(SUFFIX)
            if name == f"{begin}{version}{SUFFIX}" and _VERSION.fullmatch(version):
                self._remove(name, unless=of_others_than)

    def _remove(self, name: str, unless: str = "") -> None:
        if name != unless:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=self._inside)


class Partial:
    """A file that grows; its digest is taken as it does. What was there is read once."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._digest, self.size = _digest(file)
        self._unsynced = 0

    def write(self, data: bytes, /) -> int:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        self._digest.update(data)
        self.size += len(data)
        self._unsynced += len(data)
        if self._unsynced >= SYNC_EVERY:
            os.fdatasync(self._file)
            self._unsynced = 0
        return len(data)

    def sync(self) -> str:
        """Return its digest once the disk has it."""
        os.fsync(self._file)
        return self._digest.hexdigest()


def _enter(inside: int, folder: str) -> int:
    """Go one directory down, and leave the one before."""
    try:
        os.mkdir(folder, 0o755, dir_fd=inside)
        os.fsync(inside)
    except FileExistsError:
        pass
    below = os.open(folder, _FOLDER, dir_fd=inside)
    os.close(inside)
    return below


def _digest(file: int) -> tuple["hashlib._Hash", int]:
    """Read it from its beginning; afterwards one stands at its end."""
    digest, size = hashlib.sha256(), 0
    os.lseek(file, 0, os.SEEK_SET)
    while data := os.read(file, CHUNK):
        digest.update(data)
        size += len(data)
    return digest, size


def _cut(name: str) -> str:
    return os.fsencode(name)[:LONGEST_NAME].decode("utf-8", "surrogateescape")


def _partial_name(name: str, tag: str) -> str:
    version = hashlib.sha256(os.fsencode(f"{name}\n{tag}")).hexdigest()[:16]
    return f"{_cut(name)}.{version}{SUFFIX}"


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Tell what is wrong with a name from what is wrong with the claim, which may be mended."""
    try:
        yield
    except OSError as error:
        if error.errno in (ELOOP, ENOTDIR, EEXIST):
            raise CompanionError(
                f"{path!a}: a part of the way to it in the claim is a link, or no directory"
            ) from error
        if error.errno in (ENAMETOOLONG, ENOENT):
            raise CompanionError(f"{path!a}: {error.strerror}") from error
        raise TryAnother(f"the claim does not take {path!a}: {error.strerror}") from error
