"""The files of a job's folder: listed, sent whole or in part, and never what lies elsewhere."""

import asyncio
import os
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import quote

import pytest
from starlette.requests import Request
from starlette.types import Message, Scope

from tests.fakes.files import Node
from tests.gateway_client import Asked
from tests.unit.gateway.web.files_site import ANN, BOB, FILES, WORK, FilesSite, problem
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.held import MOST_OPEN, Digests, FileKey, OpenFiles
from waldur_slurm.gateway.web.native import files
from waldur_slurm.gateway.web.native.serving import Sending, attachment

CONTENT = bytes(range(256)) * 40
HOSTILE = ["..", "../x", "a/../../x", ".", "a/./b", "a//b", "/etc/passwd", "a%2f..%2f..%2fx",
           "%2e%2e/x", "..%2fbob", "a%00b"]  # fmt: skip


@pytest.fixture
def site() -> FilesSite:
    return FilesSite()


def test_a_file_comes_whole(site: FilesSite) -> None:
    site.write("out/result", CONTENT)

    answer = site.get(f"{FILES}/out/result")

    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')


def test_an_empty_file_is_a_file(site: FilesSite) -> None:
    site.write("empty", b"")

    answer = site.get(f"{FILES}/empty")

    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")
    assert problem(site.get(f"{FILES}/empty", range="bytes=0-")) == (416, "beyond-end")


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, 10240), ("bytes=-10", 10230, 10240),
     ("bytes=10239-", 10239, 10240), ("bytes=10000-99999", 10000, 10240),
     ("bytes=-99999", 0, 10240)],
)  # fmt: skip
def test_a_part_is_what_was_asked_for(site: FilesSite, asked: str, begin: int, end: int) -> None:
    site.write("f", CONTENT)

    answer = site.get(f"{FILES}/f", range=asked)

    assert (answer.status, answer.body) == (206, CONTENT[begin:end])
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/10240"
    assert answer.headers["content-length"] == str(end - begin)


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=-0", "bytes=999999999999999999-"])
def test_a_part_beyond_the_end_is_none(site: FilesSite, asked: str) -> None:
    site.write("f", CONTENT)

    answer = site.get(f"{FILES}/f", range=asked)

    assert problem(answer) == (416, "beyond-end")
    assert answer.headers["content-range"] == "bytes */10240"


@pytest.mark.parametrize("asked", ["bytes=5-1", "bytes=0-1,3-4", "lines=1-2", "bytes=x"])
def test_a_range_that_is_not_understood_gets_the_whole(site: FilesSite, asked: str) -> None:
    site.write("f", CONTENT)

    answer = site.get(f"{FILES}/f", range=asked)

    assert (answer.status, answer.body) == (200, CONTENT)


def test_pieces_make_the_whole(site: FilesSite) -> None:
    site.write("f", CONTENT)
    ranges = [f"bytes={begin}-{begin + 776}" for begin in range(0, len(CONTENT), 777)]

    pieces = [site.get(f"{FILES}/f", range=each).body for each in ranges]

    assert b"".join(pieces) == CONTENT


def test_a_download_goes_on_only_with_the_file_it_began_with(site: FilesSite) -> None:
    node = write(site, "f", CONTENT)
    tag = site.get(f"{FILES}/f").headers["etag"]

    goes_on = site.get(f"{FILES}/f", range="bytes=10-", if_range=tag)
    node.mtime_ns += 1
    anew = site.get(f"{FILES}/f", range="bytes=10-", if_range=tag)

    assert (goes_on.status, goes_on.body) == (206, CONTENT[10:])
    assert (anew.status, anew.body) == (200, CONTENT)
    assert anew.headers["etag"] != tag


def test_a_file_that_was_just_changed_has_a_tag_that_nobody_goes_on_with(site: FilesSite) -> None:
    write(site, "f", CONTENT).mtime_ns = 2**62

    answer = site.get(f"{FILES}/f")
    tag = answer.headers["etag"]

    assert tag.startswith("W/")
    assert site.get(f"{FILES}/f", range="bytes=10-", if_range=tag).status == 200
    assert site.get(f"{FILES}/f", if_none_match=tag).status == 304


def test_a_file_that_one_has_already_is_not_sent_again(site: FilesSite) -> None:
    site.write("f", CONTENT)
    tag = site.get(f"{FILES}/f").headers["etag"]

    answer = site.get(f"{FILES}/f", if_none_match=f'"x", W/{tag}')

    assert (answer.status, answer.body) == (304, b"")
    assert site.get(f"{FILES}/f", if_none_match='"x"').status == 200
    assert site.gateway.site.open_files.open == 0


def test_the_head_of_a_file_is_had_without_reading_it(site: FilesSite) -> None:
    site.write("f", CONTENT)

    answer = site.gateway.client(ANN).ask(Asked(f"{FILES}/f", "HEAD"))

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert site.gateway.site.open_files.open == 0


def test_a_file_that_grows_is_sent_as_it_was_when_it_was_opened(site: FilesSite) -> None:
    content = CONTENT * 30
    node = write(site, "f", content)

    def grow(_sent: bytes) -> None:
        node.content += b"more"

    answer = asked_in_pieces(site, "f", grow)

    assert answer == content


def test_a_file_that_shrinks_breaks_the_answer_off(site: FilesSite) -> None:
    node = write(site, "f", b"x" * 1_000_000)

    def shrink(_sent: bytes) -> None:
        node.content = b""

    with pytest.raises(Exception, match="became shorter"):
        asked_in_pieces(site, "f", shrink)
    assert site.gateway.site.open_files.open == 0


# Elsewhere


@pytest.mark.parametrize("path", HOSTILE)
def test_nothing_leads_out_of_the_folder(site: FilesSite, path: str) -> None:
    site.tree.write("/home/ann/x", b"outside")

    assert problem(site.get(f"{FILES}/{path}")) == (403, "denied")


def test_links_are_refused_wherever_they_stand(site: FilesSite) -> None:
    site.write("d/f", b"x")
    site.tree.link(f"{WORK}/passwd", "/etc/passwd")
    site.tree.link(f"{WORK}/etc", "/etc")
    site.tree.link(f"{WORK}/d2", "d")

    for path in ("passwd", "etc/passwd", "d2/f"):
        answer = site.get(f"{FILES}/{path}")
        assert problem(answer) == (403, "denied")
        assert answer.body != b"x"


def test_what_is_not_there_is_not_there(site: FilesSite) -> None:
    site.write("f", b"x")

    for path in ("none", "none/f", "f/g"):
        assert problem(site.get(f"{FILES}/{path}")) == (404, "not-there")
    site.write("d/f", b"x")
    assert problem(site.get(f"{FILES}/d")) == (422, "refused")


def test_anothers_files_are_as_those_of_a_job_that_is_not_there(site: FilesSite) -> None:
    site.write("f", b"secret")
    site.tree.acts = 0

    for path in ("", "/f", "/none", "/f?digest=sha-256"):
        theirs = site.get(f"/api/v1/jobs/1/files{path}", BOB)
        none = site.get(f"/api/v1/jobs/9/files{path}", BOB)
        assert problem(theirs) == problem(none) == (404, "not-there")
        assert theirs.json["detail"].replace("1", "9") == none.json["detail"]
    assert site.tree.acts == 0


# In a browser


@pytest.mark.parametrize(
    "name", ["x.html", 'a".html; filename=evil.html', "a\r\nX: y", "\u202etxt"]
)
def test_no_browser_runs_a_file_or_shows_it(site: FilesSite, name: str) -> None:
    site.write(name, b"<script>alert(1)</script>")

    answer = site.get(f"{FILES}/{quote(name)}")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    shown = answer.headers["content-disposition"]
    assert shown == attachment(name)
    assert set(shown.partition('"')[2].partition('"')[0]) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
    )
    assert shown.isascii()
    assert "\r" not in shown


# Digests


def test_a_digest_is_of_the_whole_file_and_says_of_which(site: FilesSite) -> None:
    site.write("f", CONTENT)

    answer = site.get(f"{FILES}/f?digest=sha-256")

    assert answer.json == {
        "size": len(CONTENT),
        "etag": site.get(f"{FILES}/f").headers["etag"],
        "sha256": sha256(CONTENT).hexdigest(),
    }
    assert site.get(f"{FILES}/f?digest=md5").status == 400
    assert problem(site.get(f"{FILES}/none?digest=sha-256")) == (404, "not-there")


def test_after_a_download_the_digest_costs_no_reading(site: FilesSite) -> None:
    node = write(site, "f", CONTENT)
    site.get(f"{FILES}/f")
    node.content = b"z" * len(CONTENT)  # nobody can tell by its facts

    assert site.get(f"{FILES}/f?digest=sha-256").json["sha256"] == sha256(CONTENT).hexdigest()
    node.mtime_ns += 1
    assert site.get(f"{FILES}/f?digest=sha-256").json["sha256"] == sha256(node.content).hexdigest()


def test_a_part_that_was_sent_says_nothing_of_the_whole(site: FilesSite) -> None:
    site.write("f", CONTENT)
    site.get(f"{FILES}/f", range="bytes=0-99")

    assert site.get(f"{FILES}/f?digest=sha-256").json["sha256"] == sha256(CONTENT).hexdigest()


def test_signs_of_life_come_before_a_digest_that_takes_long(
    site: FilesSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SIGN_OF_LIFE_S", 0.0)
    site.write("f", CONTENT * 100)

    answer = site.get(f"{FILES}/f?digest=sha-256")

    assert answer.body.startswith(b"   ")
    assert answer.json["sha256"] == sha256(CONTENT * 100).hexdigest()


def test_digests_are_bounded_and_never_of_what_may_have_changed() -> None:
    digests = Digests(most=2)
    keys = [FileKey("lab", "ann", f"/{number}", '"x"') for number in range(3)]
    for key in keys:
        digests.keep(key, key.path)
    weak = keys[2]._replace(etag='W/"x"')
    digests.keep(weak, "x")

    assert [digests.find(key) for key in keys] == [None, "/1", "/2"]
    assert digests.find(weak) is None


# How many at once


def test_so_many_files_are_open_at_once_and_no_more(site: FilesSite) -> None:
    site.write("f", CONTENT)
    held = site.gateway.site.open_files
    held.open = MOST_OPEN

    answer = site.get(f"{FILES}/f")

    assert problem(answer) == (503, "not-now")
    held.open -= 1
    assert site.get(f"{FILES}/f").body == CONTENT
    assert held.open == MOST_OPEN - 1


def test_a_file_that_cannot_be_opened_is_not_counted(site: FilesSite) -> None:
    assert site.get(f"{FILES}/none").status == 404
    assert site.get(f"{FILES}/job.sh", range="bytes=99-").status == 416
    assert site.gateway.site.open_files.open == 0


def test_a_place_comes_free_whatever_happens() -> None:
    held = OpenFiles(most=1)

    with pytest.raises(OSError, match="gone"), held.one_more():
        raise OSError("gone")

    assert held.open == 0


def write(site: FilesSite, name: str, content: bytes) -> Node:
    path = site.write(name, content)
    return site.tree.nodes[tuple(os.fsencode(part) for part in path[1:].split("/"))]


def asked_in_pieces(site: FilesSite, name: str, each: Callable[[bytes], object]) -> bytes:
    """Ask for a file, and have something happen after each piece that was sent."""
    raw = f"{FILES}/{name}".encode()
    scope: Scope = {
        "type": "http", "method": "GET", "headers": [], "query_string": b"", "raw_path": raw,
        "path": raw.decode(), "path_params": {"job_id": "1", "path": name},
    }  # fmt: skip
    sent: list[bytes] = []

    async def again() -> Principal:
        raise AssertionError("it is asked once")

    async def send(message: Message) -> None:
        data = bytes(message.get("body", b""))
        sent.append(data)
        if data:
            each(data)

    async def receive() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError("no client stays for so long")

    async def run() -> None:
        ask = Ask(Request(scope), ANN, site.gateway.site, "one", again)
        response = await files.show_file(ask)
        assert isinstance(response, Sending)
        await response(scope, receive, send)

    asyncio.run(run())
    return b"".join(sent)
