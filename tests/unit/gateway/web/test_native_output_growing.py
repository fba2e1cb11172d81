"""Output that grows: waited for, and followed to its end."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from tests.gateway_client import Answered
from tests.unit.gateway.web.files_site import ANN, BOB, OUTPUT, WORK, FilesSite, only
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import NotSignedIn
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native import following, output, pieces
from waldur_slurm.gateway.web.native.following import whole_text

OUT = f"{WORK}/slurm-1.out"


@pytest.fixture
def site() -> FilesSite:
    return FilesSite()


def said(answer: Answered) -> tuple[bytes, str, str]:
    assert answer.status == 200, answer.text
    return answer.body, answer.headers["x-next-offset"], answer.headers["x-complete"]


# Waiting


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (output, pieces, following):
        for name in ("FIRST_PAUSE_S", "LONGEST_PAUSE_S"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, 0.01)
    monkeypatch.setattr(following, "HEARTBEAT_S", 0.05)


@pytest.mark.usefixtures("quick")
def test_who_waits_is_told_as_soon_as_there_is_more(site: FilesSite) -> None:
    site.tree.write(OUT, b"one")

    def later(looks: int) -> None:
        if looks == 8:
            site.tree.append(OUT, b"two")

    site.then = later

    assert said(site.get(f"{OUTPUT}?offset=3&wait=30")) == (b"two", "6", "false")


@pytest.mark.usefixtures("quick")
def test_who_waits_for_a_job_that_ends_is_told_that_nothing_more_comes(site: FilesSite) -> None:
    site.tree.write(OUT, b"one")

    def later(looks: int) -> None:
        if looks == 8:
            site.put(1, state="COMPLETED")

    site.then = later

    assert said(site.get(f"{OUTPUT}?offset=3&wait=30")) == (b"", "3", "true")


# Following


def follow(
    site: FilesSite,
    *,
    query: str = "",
    last: str = "",
    until: Callable[[list[Any]], bool] = lambda told: told[-1][0] in ("end", "gone"),
    again: Callable[[], Principal] | None = None,
) -> list[Any]:
    """Follow the output; each event is its kind, its data and its number."""
    headers = [(b"accept", b"text/event-stream")]
    headers += [(b"last-event-id", last.encode())] if last else []
    scope = {"type": "http", "method": "GET", "headers": headers, "path_params": {"job_id": "1"}}

    async def admit() -> Principal:
        return again() if again else ANN

    async def run() -> list[Any]:
        request = Request({**scope, "query_string": query.encode()})
        response = await output.show_output(Ask(request, ANN, site.gateway.site, "one", admit))
        assert isinstance(response, StreamingResponse)
        told: list[Any] = []
        async for part in response.body_iterator:
            assert isinstance(part, bytes)
            lines = dict(line.split(": ", 1) for line in part.decode().splitlines() if ": " in line)
            if "event" in lines:
                told.append((lines["event"], json.loads(lines["data"]), lines.get("id")))
                if until(told):
                    break
        return told

    return asyncio.run(asyncio.wait_for(run(), 30))


def text_of(told: list[Any]) -> str:
    return "".join(data["text"] for kind, data, _ in told if kind == "output")


@pytest.mark.usefixtures("quick")
def test_output_is_followed_to_its_end(site: FilesSite) -> None:
    site.tree.write(OUT, b"one\n")

    def later(looks: int) -> None:
        if looks in (4, 8, 12):
            site.tree.append(OUT, b"more\n")
        if looks == 16:
            site.put(1, state="COMPLETED")

    site.then = later

    told = follow(site)

    assert text_of(told) == "one\nmore\nmore\nmore\n"
    assert told[-1] == ("end", {"offset": 19, "complete": True}, "19")


@pytest.mark.usefixtures("quick")
def test_who_comes_back_goes_on_where_he_was(site: FilesSite) -> None:
    site.tree.write(OUT, b"one\ntwo\n")
    site.put(1, state="COMPLETED")

    assert text_of(follow(site, last="4")) == "two\n"
    assert text_of(follow(site, query="offset=4")) == "two\n"
    assert text_of(follow(site, query="tail=2")) == "o\n"


@pytest.mark.usefixtures("quick")
def test_a_character_is_never_cut_in_two(site: FilesSite) -> None:
    content = "\u00fc\u4e16\U0001f600".encode() * 30_000
    site.tree.write(OUT, content)
    site.put(1, state="COMPLETED")

    told = follow(site)

    assert text_of(told) == content.decode()
    assert sum(kind == "output" for kind, *_ in told) > 3


@pytest.mark.usefixtures("quick")
def test_half_a_character_waits_for_its_other_half(site: FilesSite) -> None:
    site.tree.write(OUT, b"a\xc3")

    def later(looks: int) -> None:
        if looks == 6:
            site.tree.append(OUT, b"\xbc")

    site.then = later

    told = follow(site, until=lambda told: len(told) == 2)

    assert [(data["offset"], data["text"]) for _, data, _ in told] == [(0, "a"), (1, "\u00fc")]


@pytest.mark.usefixtures("quick")
def test_what_begins_anew_is_told_from_its_beginning(site: FilesSite) -> None:
    site.tree.write(OUT, b"the first run\n")

    def later(looks: int) -> None:
        if looks == 6:
            site.tree.write(OUT, b"again\n")

    site.then = later

    told = follow(site, until=lambda told: len(told) == 2)

    assert [(data["offset"], data["text"]) for _, data, _ in told] == [
        (0, "the first run\n"), (0, "again\n"),
    ]  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_a_silent_slurm_ends_no_stream(site: FilesSite) -> None:
    site.tree.write(OUT, b"one\n")

    def later(looks: int) -> None:
        site.tree.outage = AccountingDown(("x",), 1, "") if 4 <= looks < 12 else None
        if looks == 12:
            site.tree.append(OUT, b"two\n")

    site.then = later

    assert text_of(follow(site, until=lambda told: len(told) == 2)) == "one\ntwo\n"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("loses", ["token", "scope", "user"])
def test_a_token_that_was_ended_or_may_less_ends_the_stream(
    site: FilesSite, monkeypatch: pytest.MonkeyPatch, loses: str
) -> None:
    monkeypatch.setattr(following, "LOOKED_AT_AGAIN_S", 0.02)
    site.tree.write(OUT, b"one\n")

    def again() -> Principal:
        match loses:
            case "token":
                raise NotSignedIn("revoked")
            case "scope":
                return only(Scope.JOBS_READ)
            case _:
                return BOB

    told = follow(site, again=again)

    kinds = {"token": "not-signed-in", "scope": "denied", "user": "not-there"}
    assert told[-1][0] == "gone"
    assert told[-1][1]["type"] == kinds[loses]


@pytest.mark.parametrize(
    ("data", "is_last", "expected"),
    [
        (b"", False, ("", 0)),
        (b"ab", False, ("ab", 2)),
        (b"a\xe4\xb8", False, ("a", 1)),
        (b"a\xe4\xb8", True, ("a\ufffd", 3)),
        (b"a\xff\xffb", False, ("a\ufffd\ufffdb", 4)),
        (b"a\xf0\x9f\x98", False, ("a", 1)),
    ],
)
def test_text_is_cut_between_characters(
    data: bytes, is_last: bool, expected: tuple[str, int]
) -> None:
    assert whole_text(data, is_last=is_last) == expected
