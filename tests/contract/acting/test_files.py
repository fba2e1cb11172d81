"""A user's files are the same by every way: what is done, what is refused, and what is left."""

import io
import os
import zipfile
from collections.abc import Iterator

import pytest

from tests.contract.acting.files_site import FilesSite
from waldur_slurm.errors import FileFailed, NotPermitted
from waldur_slurm.slurm.transports.files import Files

MOST = 10 * 1024 * 1024


@pytest.fixture
def ann(site: FilesSite) -> Files:
    return site.files


@pytest.fixture
def home(site: FilesSite) -> str:
    return site.home


def test_a_directory_is_made_once_and_is_the_users(ann: Files, home: str, site: FilesSite) -> None:
    assert ann.make(f"{home}/a/b/c", mode=0o700, parents=True)
    assert not ann.make(f"{home}/a/b/c")

    assert site.is_anns(f"{home}/a", 0o755)
    assert site.is_anns(f"{home}/a/b/c", 0o700)


def test_a_file_is_put_as_the_user_and_taken_back(ann: Files, home: str, site: FilesSite) -> None:
    facts = ann.put(f"{home}/f", [b"one", b"", b"two"], most=MOST, mode=0o777)
    taken = ann.take(f"{home}/f")

    assert b"".join(taken.content) == b"onetwo"
    assert taken.facts == facts == ann.look(f"{home}/f")
    assert site.is_anns(f"{home}/f", 0o755)


@pytest.mark.parametrize(
    ("offset", "length", "part"),
    [(0, 4, b"0123"), (8, None, b"89"), (-3, None, b"789"), (-99, 1, b"0"), (50, None, b"")],
)
def test_a_range_is_taken(
    ann: Files, home: str, offset: int, length: int | None, part: bytes
) -> None:
    ann.put(f"{home}/f", [b"0123456789"], most=MOST)

    assert b"".join(ann.take(f"{home}/f", offset=offset, length=length).content) == part


def test_a_large_file_goes_both_ways_whole(ann: Files, home: str) -> None:
    content = os.urandom(3_000_000)
    pieces = [content[at : at + 777_777] for at in range(0, len(content), 777_777)]
    ann.put(f"{home}/f", pieces, most=MOST)

    assert b"".join(ann.take(f"{home}/f").content) == content


def test_what_breaks_off_leaves_no_file(ann: Files, home: str, site: FilesSite) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the sender is gone")

    with pytest.raises(RuntimeError, match="the sender is gone"):
        ann.put(f"{home}/f", broken(), most=MOST)

    assert site.names() == []


def test_too_much_is_refused_and_leaves_no_file(ann: Files, home: str, site: FilesSite) -> None:
    with pytest.raises(NotPermitted, match="larger than 5 bytes"):
        ann.put(f"{home}/f", [b"123456"], most=5)

    assert site.names() == []


def test_a_file_is_replaced_whole_or_not_at_all_where_that_is_asked_for(
    ann: Files, home: str, site: FilesSite
) -> None:
    ann.put(f"{home}/f", [b"old"], most=MOST)
    with pytest.raises(FileFailed) as failed:
        ann.put(f"{home}/f", [b"new"], most=MOST, replace=False)

    assert failed.value.errno == "EEXIST"
    assert site.read(f"{home}/f") == b"old"
    ann.put(f"{home}/f", [b"new"], most=MOST)
    assert site.read(f"{home}/f") == b"new"


def test_a_listing_says_what_there_is_and_whether_that_is_all(
    ann: Files, home: str, site: FilesSite
) -> None:
    ann.make(f"{home}/d/e", parents=True)
    ann.put(f"{home}/d/caf\udcff", [b"x"], most=MOST)
    site.link(f"{home}/d/link", "/etc")

    whole = ann.list(f"{home}/d", depth=2)
    part = ann.list(home, depth=2, most=2)

    assert [(each.path, each.facts.kind) for each in whole.entries] == [
        ("caf\udcff", "file"), ("e", "directory"), ("link", "link"),
    ]  # fmt: skip
    assert whole.is_whole
    assert (len(part.entries), part.is_whole) == (2, False)


def test_what_is_not_there_is_none_and_cannot_be_taken(ann: Files, home: str) -> None:
    assert ann.look(f"{home}/f") is None
    with pytest.raises(FileFailed) as failed:
        ann.take(f"{home}/f")

    assert failed.value.errno == "ENOENT"


def test_a_tree_is_removed_or_emptied_but_for_what_is_kept(
    ann: Files, home: str, site: FilesSite
) -> None:
    for name in ("keep", "a", "b"):
        ann.put(f"{home}/{name}", [b"x"], most=MOST)
    ann.make(f"{home}/d/e/f", parents=True)

    assert ann.remove(f"{home}/d") == 3
    assert ann.remove(f"{home}/a") == 1
    assert ann.remove(f"{home}/a") == 0
    assert ann.remove(home, keep=["keep"]) == 1
    assert site.names() == ["keep"]


@pytest.mark.parametrize("compress", [False, True])
def test_a_directory_comes_as_a_zip_and_goes_back(
    ann: Files, home: str, site: FilesSite, compress: bool
) -> None:
    ann.make(f"{home}/from/empty", parents=True)
    ann.make(f"{home}/to")
    ann.put(f"{home}/from/run.sh", [b"#!/bin/sh\n" * 9999], most=MOST, mode=0o755)
    site.link(f"{home}/from/secret", "/etc/shadow")
    archive = b"".join(ann.zip_out(f"{home}/from", most=MOST, compress=compress))

    assert sorted(zipfile.ZipFile(io.BytesIO(archive)).namelist()) == ["empty/", "run.sh"]
    assert ann.zip_in(f"{home}/to", [archive], most=MOST) == 2
    assert site.read(f"{home}/to/run.sh") == b"#!/bin/sh\n" * 9999
    assert site.is_anns(f"{home}/to/run.sh", 0o755)
    assert site.is_anns(f"{home}/to/empty", 0o755)


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "{home}/../wsat-bob/f", "{home}/./f", "{home}//f", "f", "", "{home}/f/", "/",
     "{home}/\0", "{bob}/f", "{home}/" + "x" * 300, "{home}x/f"],
)  # fmt: skip
def test_nothing_outside_the_roots_is_touched(
    ann: Files, home: str, site: FilesSite, path: str
) -> None:
    where = path.format(home=home, bob=site.bobs_home)
    for act in (
        lambda: ann.put(where, [b"x"], most=MOST),
        lambda: ann.take(where),
        lambda: ann.remove(where),
        lambda: ann.make(where),
        lambda: ann.look(where),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_links_are_not_followed_on_the_way_nor_at_the_end(
    ann: Files, home: str, site: FilesSite
) -> None:
    site.link(f"{home}/etc", "/etc")
    site.link(f"{home}/passwd", "/etc/passwd")
    for act in (
        lambda: ann.take(f"{home}/etc/passwd"),
        lambda: ann.take(f"{home}/passwd"),
        lambda: ann.list(f"{home}/etc"),
        lambda: ann.zip_out(f"{home}/etc", most=MOST),
        lambda: ann.make(f"{home}/etc/x"),
    ):
        with pytest.raises(FileFailed):
            act()
    facts = ann.look(f"{home}/passwd")
    assert facts is not None
    assert facts.kind == "link"


def test_a_link_is_replaced_or_removed_and_what_it_points_to_stays(
    ann: Files, home: str, site: FilesSite
) -> None:
    canary = site.canary()
    for name in ("a", "b"):
        site.link(f"{home}/{name}", canary)

    ann.put(f"{home}/a", [b"new"], most=MOST)
    ann.remove(f"{home}/b")

    facts = ann.look(f"{home}/a")
    assert site.read(canary) == b"canary"
    assert site.read(f"{home}/a") == b"new"
    assert facts is not None
    assert facts.kind == "file"


def test_a_root_itself_is_neither_removed_nor_replaced(ann: Files, home: str) -> None:
    with pytest.raises(NotPermitted, match="root"):
        ann.remove(home)
    with pytest.raises(NotPermitted, match="root"):
        ann.put(home, [b"x"], most=MOST)
