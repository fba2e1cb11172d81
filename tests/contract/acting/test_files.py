"""A user's files are the same by every way: what is done, what is refused, and what is left."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from pwd import getpwnam

import pytest

from tests.fixtures_hand import ANN, BOB, HandSite
from waldur_slurm.errors import FileFailed, NotPermitted
from waldur_slurm.slurm.transports.on_behalf import Behalf

MOST = 10 * 1024 * 1024


def is_anns(path: str, mode: int) -> bool:
    found = os.lstat(path)
    entry = getpwnam(ANN)
    return (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (
        entry.pw_uid, entry.pw_gid, mode,
    )  # fmt: skip


def test_a_directory_is_made_once_and_is_the_users(ann: Behalf, home: str) -> None:
    assert ann.files.make(f"{home}/a/b/c", mode=0o700, parents=True)
    assert not ann.files.make(f"{home}/a/b/c")

    assert is_anns(f"{home}/a", 0o755)
    assert is_anns(f"{home}/a/b/c", 0o700)


def test_a_file_is_put_as_the_user_and_taken_back(ann: Behalf, home: str) -> None:
    facts = ann.files.put(f"{home}/f", [b"one", b"", b"two"], most=MOST, mode=0o777)
    taken = ann.files.take(f"{home}/f")

    assert b"".join(taken.content) == b"onetwo"
    assert taken.facts == facts == ann.files.look(f"{home}/f")
    assert is_anns(f"{home}/f", 0o755)


@pytest.mark.parametrize(
    ("offset", "length", "part"),
    [(0, 4, b"0123"), (8, None, b"89"), (-3, None, b"789"), (-99, 1, b"0"), (50, None, b"")],
)
def test_a_range_is_taken(
    ann: Behalf, home: str, offset: int, length: int | None, part: bytes
) -> None:
    ann.files.put(f"{home}/f", [b"0123456789"], most=MOST)

    assert b"".join(ann.files.take(f"{home}/f", offset=offset, length=length).content) == part


def test_a_large_file_goes_both_ways_whole(ann: Behalf, home: str) -> None:
    content = os.urandom(3_000_000)
    pieces = [content[at : at + 777_777] for at in range(0, len(content), 777_777)]
    ann.files.put(f"{home}/f", pieces, most=MOST)

    assert b"".join(ann.files.take(f"{home}/f").content) == content


def test_what_breaks_off_leaves_no_file(ann: Behalf, home: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the sender is gone")

    with pytest.raises(RuntimeError, match="the sender is gone"):
        ann.files.put(f"{home}/f", broken(), most=MOST)

    assert not Path(home, "f").exists()


def test_too_much_is_refused_and_leaves_no_file(ann: Behalf, home: str) -> None:
    with pytest.raises(NotPermitted, match="larger than 5 bytes"):
        ann.files.put(f"{home}/f", [b"123456"], most=5)

    assert not [*Path(home).iterdir()]


def test_a_file_is_replaced_whole_or_not_at_all_where_that_is_asked_for(
    ann: Behalf, home: str
) -> None:
    ann.files.put(f"{home}/f", [b"old"], most=MOST)
    with pytest.raises(FileFailed) as failed:
        ann.files.put(f"{home}/f", [b"new"], most=MOST, replace=False)

    assert failed.value.errno == "EEXIST"
    assert Path(home, "f").read_bytes() == b"old"
    ann.files.put(f"{home}/f", [b"new"], most=MOST)
    assert Path(home, "f").read_bytes() == b"new"


def test_a_listing_says_what_there_is_and_whether_that_is_all(ann: Behalf, home: str) -> None:
    ann.files.make(f"{home}/d/e", parents=True)
    ann.files.put(f"{home}/d/caf\udcff", [b"x"], most=MOST)
    Path(home, "d", "link").symlink_to("/etc")

    whole = ann.files.list(f"{home}/d", depth=2)
    part = ann.files.list(home, depth=2, most=2)

    assert [(each.path, each.facts.kind) for each in whole.entries] == [
        ("caf\udcff", "file"), ("e", "directory"), ("link", "link"),
    ]  # fmt: skip
    assert whole.is_whole
    assert (len(part.entries), part.is_whole) == (2, False)


def test_what_is_not_there_is_none_and_cannot_be_taken(ann: Behalf, home: str) -> None:
    assert ann.files.look(f"{home}/f") is None
    with pytest.raises(FileFailed) as failed:
        ann.files.take(f"{home}/f")

    assert failed.value.errno == "ENOENT"


def test_a_tree_is_removed_or_emptied_but_for_what_is_kept(ann: Behalf, home: str) -> None:
    for name in ("keep", "a", "b"):
        ann.files.put(f"{home}/{name}", [b"x"], most=MOST)
    ann.files.make(f"{home}/d/e/f", parents=True)

    assert ann.files.remove(f"{home}/d") == 3
    assert ann.files.remove(f"{home}/a") == 1
    assert ann.files.remove(f"{home}/a") == 0
    assert ann.files.remove(home, keep=["keep"]) == 1
    assert [*Path(home).iterdir()] == [Path(home, "keep")]


@pytest.mark.parametrize("compress", [False, True])
def test_a_directory_comes_as_a_zip_and_goes_back(ann: Behalf, home: str, compress: bool) -> None:
    ann.files.make(f"{home}/from/empty", parents=True)
    ann.files.make(f"{home}/to")
    ann.files.put(f"{home}/from/run.sh", [b"#!/bin/sh\n" * 9999], most=MOST, mode=0o755)
    Path(home, "from", "secret").symlink_to("/etc/shadow")
    archive = b"".join(ann.files.zip_out(f"{home}/from", most=MOST, compress=compress))

    assert sorted(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == ["empty/", "run.sh"]
    assert ann.files.zip_in(f"{home}/to", [archive], most=MOST) == 2
    assert Path(home, "to", "run.sh").read_bytes() == b"#!/bin/sh\n" * 9999
    assert is_anns(f"{home}/to/run.sh", 0o755)
    assert is_anns(f"{home}/to/empty", 0o755)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "{home}/../wsat-bob/f", "{home}/./f", "{home}//f", "f", "", "{home}/f/", "/",
     "{home}/\0", "{bob}/f", "{home}/" + "x" * 300, "{home}x/f"],
)  # fmt: skip
def test_nothing_outside_the_roots_is_touched(
    ann: Behalf, home: str, hand_site: HandSite, path: str
) -> None:
    where = path.format(home=home, bob=hand_site.home(BOB))
    for act in (
        lambda: ann.files.put(where, [b"x"], most=MOST),
        lambda: ann.files.take(where),
        lambda: ann.files.remove(where),
        lambda: ann.files.make(where),
        lambda: ann.files.look(where),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_links_are_not_followed_on_the_way_nor_at_the_end(ann: Behalf, home: str) -> None:
    Path(home, "etc").symlink_to("/etc")
    Path(home, "passwd").symlink_to("/etc/passwd")
    for act in (
        lambda: ann.files.take(f"{home}/etc/passwd"),
        lambda: ann.files.take(f"{home}/passwd"),
        lambda: ann.files.list(f"{home}/etc"),
        lambda: ann.files.zip_out(f"{home}/etc", most=MOST),
        lambda: ann.files.make(f"{home}/etc/x"),
    ):
        with pytest.raises(FileFailed):
            act()
    facts = ann.files.look(f"{home}/passwd")
    assert facts is not None
    assert facts.kind == "link"


def test_a_link_is_replaced_or_removed_and_what_it_points_to_stays(
    ann: Behalf, home: str, hand_site: HandSite
) -> None:
    canary = hand_site.directory / "canary"
    canary.write_text("canary")
    for name in ("a", "b"):
        Path(home, name).symlink_to(canary)

    ann.files.put(f"{home}/a", [b"new"], most=MOST)
    ann.files.remove(f"{home}/b")

    assert canary.read_text() == "canary"
    assert Path(home, "a").read_bytes() == b"new"
    assert not Path(home, "a").is_symlink()


def test_a_root_itself_is_neither_removed_nor_replaced(ann: Behalf, home: str) -> None:
    with pytest.raises(NotPermitted, match="root"):
        ann.files.remove(home)
    with pytest.raises(NotPermitted, match="root"):
        ann.files.put(home, [b"x"], most=MOST)
