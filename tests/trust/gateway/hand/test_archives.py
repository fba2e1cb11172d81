"""An archive is unpacked in full safety, or leaves the tree as it was, to the bit."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures_hand import ANN, HandSite
from tests.trust.hostile import TEXTS
from waldur_slurm.errors import NotPermitted

MOST = 4_000_000


def archive(*entries: tuple[str, bytes], mode: int = 0, method: int = zipfile.ZIP_STORED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as made:
        for name, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name
            info.compress_type = method
            info.external_attr = mode << 16
            made.writestr(info, content)
    return written.getvalue()


def twice() -> bytes:
    made = archive(("one", b"1"), ("two", b"2"))
    return made.replace(b"two", b"one")


def lying(claimed: int) -> bytes:
    """An entry that unpacks to more than it says, in its own head and in the table."""
    made = bytearray(archive(("f", bytes(3_000_000)), method=zipfile.ZIP_DEFLATED))
    table = made.rindex(b"PK\x01\x02")
    made[22:26] = made[table + 24 : table + 28] = struct.pack("<I", claimed)
    return bytes(made)


def endless_table() -> bytes:
    made = bytearray(archive(("f", b"x")))
    end = made.rindex(b"PK\x05\x06")
    made[end + 12 : end + 16] = struct.pack("<I", 0xFFFFFFF0)
    return bytes(made)


def encrypted() -> bytes:
    made = bytearray(archive(("f", b"x")))
    table = made.rindex(b"PK\x01\x02")
    made[6] |= 1
    made[table + 8] |= 1
    return bytes(made)


def broken_content() -> bytes:
    made = bytearray(archive(("good", b"g"), ("f", b"content")))
    at = made.index(b"content")
    made[at : at + 7] = b"CONTENT"
    return bytes(made)


BAD: dict[str, Callable[[], bytes]] = {
    "up": lambda: archive(("../f", b"x")),
    "up, deep inside": lambda: archive(("good", b"g"), ("a/../../f", b"x")),
    "absolute": lambda: archive(("/etc/cron.d/f", b"x")),
    "with a backslash": lambda: archive(("..\\f", b"x")),
    "of a drive": lambda: archive(("C:/f", b"x")),
    "with a dot": lambda: archive(("./f", b"x")),
    "with nothing between": lambda: archive(("a//f", b"x")),
    "with nothing": lambda: archive(("", b"x")),
    "with a control sign": lambda: archive(("a\x1bf", b"x")),
    "too long": lambda: archive(("x" * 300, b"x")),
    "too deep": lambda: archive(("a/" * 100 + "f", b"x")),
    "a link": lambda: archive(("f", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777),
    "a device": lambda: archive(("f", b""), mode=stat.S_IFBLK | 0o600),
    "a pipe": lambda: archive(("f", b""), mode=stat.S_IFIFO | 0o600),
    "a directory that is a file": lambda: archive(("d/", b""), mode=stat.S_IFREG | 0o600),
    "a directory with content": lambda: archive(("d/", b"x")),
    "twice": twice,
    "a file and a directory": lambda: archive(("a", b"x"), ("a/b", b"x")),
    "a bomb": lambda: archive(("f", bytes(3_900_000)), method=zipfile.ZIP_DEFLATED),
    "too much": lambda: archive(*((f"f{n}", bytes(900_000)) for n in range(5))),
    "too many": lambda: archive(*((f"f{n}", b"") for n in range(101))),
    "lying, less": lambda: lying(10),
    "lying, more": lambda: lying(90_000_000),
    "an endless table": endless_table,
    "encrypted": encrypted,
    "packed with lzma": lambda: archive(("f", b"x" * 99), method=zipfile.ZIP_LZMA),
    "broken": broken_content,
    "cut": lambda: archive(("f", b"content"))[:-30],
    "nothing": lambda: b"",
    "no zip": lambda: b"PK\x03\x04 but nothing more",
    "over a directory": lambda: archive(("good", b"g"), ("taken", b"x")),
    "through a link": lambda: archive(("good", b"g"), ("link/f", b"x")),
    "through a file": lambda: archive(("good", b"g"), ("old/f", b"x")),
}


def tree(top: Path) -> list[tuple[str, int, int, bytes]]:
    return [
        (str(path), found.st_ino, found.st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(top.rglob("*"))
        for found in [path.lstat()]
    ]


@pytest.fixture
def home(hand_site: HandSite) -> Path:
    """A home with something of each kind in it."""
    files, home = hand_site.files(), hand_site.home(ANN)
    files.make(f"{home}/taken")
    files.put(f"{home}/old", [b"old"], most=MOST)
    (home / "link").symlink_to(hand_site.directory / "home")
    return home


@pytest.mark.parametrize("kind", [*BAD])
def test_a_bad_archive_leaves_the_tree_as_it_was(
    hand_site: HandSite, home: Path, kind: str
) -> None:
    before, others = tree(home), tree(hand_site.directory / "home")

    with pytest.raises(NotPermitted):
        hand_site.files().zip_in(str(home), [BAD[kind]()], most=MOST, most_entries=100)

    assert tree(home) == before
    assert tree(hand_site.directory / "home") == others


def test_an_archive_goes_over_what_is_there(hand_site: HandSite, home: Path) -> None:
    made = archive(
        ("old", b"new"), ("taken/", b""), ("taken/a b", b"x"), ("sub/dir/f", b"y"), mode=0
    )

    assert hand_site.files().zip_in(str(home), [made], most=MOST) == 4
    assert (home / "old").read_bytes() == b"new"
    assert (home / "taken" / "a b").read_bytes() == b"x"
    assert (home / "sub" / "dir" / "f").read_bytes() == b"y"
    assert sorted(path.name for path in home.iterdir()) == ["link", "old", "sub", "taken"]


@pytest.mark.parametrize("text", TEXTS[:25])
def test_a_name_from_an_archive_is_that_name_or_refused(
    hand_site: HandSite, home: Path, text: str
) -> None:
    try:
        hand_site.files().zip_in(str(home), [archive((text, b"x"))], most=MOST)
    except NotPermitted:
        assert not text.isprintable() or len(text) > 255 or {"\\", "..", ""} & {*text.split("/")}
        return
    assert (home / text).read_bytes() == b"x"
