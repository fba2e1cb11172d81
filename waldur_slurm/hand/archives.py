"""What an archive may hold: files and directories with plain names, within bounds.

Before zipfile may read the archive's table its size is looked at: zipfile keeps the whole of it.
"""

import stat
import zipfile
from collections.abc import Iterable
from typing import IO, NamedTuple

from waldur_slurm.hand import wire
from waldur_slurm.hand.paths import Parts, shown
from waldur_slurm.hand.requests import MOST_DEPTH, MOST_NAME, MOST_PATH

MOST_TABLE = 32 * 1024 * 1024
RATIO = 100
RATIO_FROM = 1024 * 1024
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
IS_ENCRYPTED = 0x1

END_OF_TABLE = b"PK\x05\x06"
END_OF_TABLE_64 = b"PK\x06\x06"
LONGEST_END = 22 + 65_535 + 20 + 56
BIG = 0xFFFFFFFF


class BadArchive(ValueError):
    """The archive holds what may not be unpacked, or is none."""


class Entry(NamedTuple):
    path: Parts
    mode: int
    is_directory: bool
    info: zipfile.ZipInfo


def open_table(file: IO[bytes], most_entries: int) -> zipfile.ZipFile:
    """Open an archive whose table is small enough to be kept."""
    size = _size_of_table(file)
    if size > MOST_TABLE or size // 46 > most_entries:
        raise BadArchive(f"it has a table of {size} bytes, more than {most_entries} entries need")
    archive = zipfile.ZipFile(file)
    if len(archive.infolist()) > most_entries:
        raise BadArchive(f"it has more than {most_entries} entries")
    return archive


def _size_of_table(file: IO[bytes]) -> int:
    """Read from the archive's last bytes how long its table is, without reading it."""
    file.seek(0, 2)
    file.seek(max(file.tell() - LONGEST_END, 0))
    tail = file.read(LONGEST_END)
    at = tail.rfind(END_OF_TABLE)
    if at < 0 or len(tail) < at + 22:
        raise BadArchive("it is no zip file")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    at_64 = tail.rfind(END_OF_TABLE_64, 0, at)
    if at_64 >= 0:
        size = max(size % BIG, int.from_bytes(tail[at_64 + 40 : at_64 + 48], "little"))
    return size


def checked_entries(infos: Iterable[zipfile.ZipInfo], most: int) -> list[Entry]:
    """Return what the table lists, each looked at, or raise `BadArchive`."""
    entries = [_checked(info) for info in infos]
    if sum(entry.info.file_size for entry in entries) > most:
        raise BadArchive(f"its files have more than {most} bytes")
    _check_places(entries)
    return entries


def _checked(info: zipfile.ZipInfo) -> Entry:
    mode = info.external_attr >> 16
    is_directory = info.filename.endswith("/")
    path = _path(info)
    if info.flag_bits & IS_ENCRYPTED or info.compress_type not in METHODS:
        raise BadArchive(f"{shown(path)} is encrypted or packed in a way that is not deflate")
    if stat.S_IFMT(mode) not in (0, stat.S_IFDIR if is_directory else stat.S_IFREG):
        raise BadArchive(f"{shown(path)} is neither a file nor a directory")
    if is_directory and info.file_size:
        raise BadArchive(f"{shown(path)} is a directory with content")
    if info.file_size > max(RATIO_FROM, RATIO * info.compress_size):
        raise BadArchive(f"{shown(path)} unpacks to more than {RATIO} times its size")
    return Entry(path, _permissions(mode), is_directory, info)


def _permissions(mode: int) -> int:
    """A file stays executable; what else the archive says of who may what does not hold."""
    return 0o777 if mode & 0o100 else 0o666


def _path(info: zipfile.ZipInfo) -> Parts:
    name = info.orig_filename
    if (
        len(name) > MOST_PATH
        or "\\" in name
        or not name.removesuffix("/").replace("/", "x").isprintable()
    ):
        raise BadArchive(f"{name[:80]!r} is no plain path")
    parts = name.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or len(parts) > MOST_DEPTH:
        raise BadArchive(f"{name[:80]!r} is no plain path")
    path = tuple(wire.to_bytes(part) for part in parts)
    if parts[0][1:] == ":" or any(len(part) > MOST_NAME for part in path):
        raise BadArchive(f"{name[:80]!r} is no plain path")
    return path


def _check_places(entries: list[Entry]) -> None:
    """No place twice, and nothing below a file."""
    files = {entry.path for entry in entries if not entry.is_directory}
    if len({entry.path for entry in entries}) < len(entries):
        raise BadArchive("a name is there twice")
    for entry in entries:
        if any(entry.path[:depth] in files for depth in range(1, len(entry.path))):
            raise BadArchive(f"{shown(entry.path)} lies below a file")
