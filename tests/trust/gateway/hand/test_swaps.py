"""A user who swaps files, links and directories while the hand works leads it nowhere else.

What lies outside of the roots belongs to that very user here, so that no permission hides an
escape: it is neither read, written nor removed.
"""

import io
import os
import random
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.fixtures_hand import ANN, HandSite
from tests.trust.size import SEED, count, size
from waldur_slurm.errors import FileFailed, NotPermitted
from waldur_slurm.slurm.transports.files import Files

SECRET = b"secret that lies outside of every root"
MOST = 1_000_000
ROUNDS = size(125, 2_500)
"""Of each of five acts: 625 in all, 12,500 in a campaign."""


@pytest.fixture
def outside(hand_site: HandSite) -> Iterator[Path]:
    """A directory of the user's own that no root holds."""
    directory = hand_site.directory / "outside"
    (directory / "deep").mkdir(parents=True)
    for path in (directory / "f", directory / "deep" / "f"):
        path.write_bytes(SECRET)
    _own(directory)
    yield directory
    shutil.rmtree(directory)


def _own(top: Path) -> None:
    uid, gid = getpwnam(ANN)[2:4]
    for path in (top, *top.rglob("*")):
        os.lchown(path, uid, gid)


def state(top: Path) -> list[tuple[str, int, int, int, bytes]]:
    """All that a write, a removal or a new name would change."""
    return [
        (str(path), found.st_ino, found.st_mode, found.st_ctime_ns,
         path.read_bytes() if path.is_file() else b"")
        for path in (top, *sorted(top.rglob("*")))
        for found in [path.lstat()]
    ]  # fmt: skip


class Swapper:
    """Puts something else under two names, over and over: a file below, and a directory."""

    def __init__(self, home: Path, outside: Path) -> None:
        self._home = home
        self._outside = outside
        self._random = random.Random(SEED)  # noqa: S311 - no secret
        self._uid, self._gid = getpwnam(ANN)[2:4]
        self._stop = threading.Event()
        self.swaps = 0

    def run(self) -> None:
        while not self._stop.is_set():
            with suppress(OSError):
                self._swap("f", self._random.choice((self._file, self._link_to_file)))
                self._swap("d", self._random.choice((self._directory, self._link_to_directory)))
                self.swaps += 1

    def stop(self) -> None:
        self._stop.set()

    def _swap(self, name: str, make: Callable[[Path], None]) -> None:
        """Make it beside and rename it over, as fast as anybody can."""
        new, old = self._home / f"new-{name}", self._home / f"old-{name}"
        for path in (new, old):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(True)
        make(new)
        with suppress(FileNotFoundError):
            (self._home / name).rename(old)
        new.rename(self._home / name)

    def _file(self, path: Path) -> None:
        path.write_bytes(b"inside")
        os.chown(path, self._uid, self._gid)

    def _link_to_file(self, path: Path) -> None:
        path.symlink_to(self._outside / "f")

    def _directory(self, path: Path) -> None:
        path.mkdir()
        (path / "f").write_bytes(b"inside")
        (path / "deep").mkdir()
        _own(path)

    def _link_to_directory(self, path: Path) -> None:
        path.symlink_to(self._outside)


@contextmanager
def swapping(home: Path, outside: Path) -> Iterator[Swapper]:
    swapper = Swapper(home, outside)
    thread = threading.Thread(target=swapper.run)
    thread.start()
    try:
        yield swapper
    finally:
        swapper.stop()
        thread.join()


def zip_all(files: Files, home: str) -> bytes:
    archive = b"".join(files.zip_out(home, most=MOST))
    opened = zipfile.ZipFile(io.BytesIO(archive))
    return b"".join(opened.read(name) for name in opened.namelist())


def take(files: Files, path: str) -> bytes:
    return b"".join(files.take(path).content)


def put(files: Files, path: str) -> bytes:
    files.put(path, [b"inside"], most=MOST)
    return b""


def remove(files: Files, path: str) -> bytes:
    files.remove(path)
    return b""


def unzip(files: Files, home: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("d/new", b"inside")
        archive.writestr("d/deep/new", b"inside")
        archive.writestr("f", b"inside")
    files.zip_in(home, [written.getvalue()], most=MOST)
    return b""


@pytest.mark.parametrize(
    ("act", "paths"),
    [
        (zip_all, ("", "/d")),
        (take, ("/f", "/d/f", "/d/deep/f")),
        (put, ("/f", "/d/f", "/d/new", "/d/deep/f")),
        (remove, ("/d", "/d/f", "/d/deep", "/f")),
        (unzip, ("",)),
    ],
    ids=["zips", "takes", "puts", "removes", "unzips"],
)
def test_nothing_outside_the_roots_is_read_or_written(
    hand_site: HandSite,
    outside: Path,
    act: Callable[[Files, str], bytes],
    paths: tuple[str, ...],
) -> None:
    home, files = hand_site.home(ANN), hand_site.files()
    before = state(outside)
    answered = 0
    with swapping(home, outside) as swapper:
        for number in range(ROUNDS):
            try:
                got = act(files, f"{home}{paths[number % len(paths)]}")
            except (FileFailed, NotPermitted):
                continue
            answered += 1
            assert SECRET not in got

    assert state(outside) == before
    assert swapper.swaps > 0
    assert answered > 0
    count("act of the hand while names were swapped", ROUNDS)
