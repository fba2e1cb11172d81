"""What a hand says is believed only where it has said all; its user may have made it say more."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from waldur_slurm.errors import FileFailed, NotPermitted, TransportError
from waldur_slurm.hand import wire
from waldur_slurm.slurm.transports.hands import Answer, Heard, Part, asked, spoken
from waldur_slurm.slurm.transports.on_behalf import OnBehalf

DONE = {"outcome": "done", "why": "", "errno": "", "facts": {}}


class ScriptedHand:
    """Says what it was told to, whatever it is asked."""

    def __init__(self, *frames: bytes, complaint: bytes = b"") -> None:
        self._frames = frames
        self._complaint = complaint
        self.asked: list[tuple[str, bytes, timedelta]] = []

    def open(self, user: str, sent: Iterable[bytes], silence: timedelta) -> Heard:
        self.asked.append((user, b"".join(sent), silence))
        if self._complaint:
            yield False, self._complaint
        for frame in self._frames:
            yield True, frame


def end(**changed: object) -> bytes:
    return wire.framed_json(wire.END, {**DONE, **changed})


def behalf(*frames: bytes, complaint: bytes = b"") -> OnBehalf:
    return OnBehalf(ScriptedHand(*frames, complaint=complaint))


def test_a_request_is_asked_whole_and_its_end_is_said() -> None:
    sent = b"".join(asked({"verb": "x"}, [b"a" * (wire.CHUNK + 1), b""]))
    frames = [*wire.Frames(b"RDE").cut(sent)]

    assert [(kind, len(payload)) for kind, payload in frames] == [
        (b"R", len('{"verb":"x"}')), (b"D", wire.CHUNK), (b"D", 1), (b"E", 0),
    ]  # fmt: skip


def test_a_request_that_no_hand_takes_is_not_sent() -> None:
    with pytest.raises(NotPermitted, match="at most"):
        list(asked({"keep": "x" * wire.MOST_FRAME}, []))


def test_parts_come_before_the_answer() -> None:
    said = [(True, wire.framed(wire.DATA, b"x")), (True, end(facts={"code": 0}))]

    assert [*spoken(said)] == [Part(wire.DATA, b"x"), Answer("done", "", "", {"code": 0})]


@pytest.mark.parametrize(
    ("frames", "complaint", "why"),
    [
        ((), b"sudo: a password is required\n", "a password is required"),
        ((), b"", "ended without a word"),
        ((wire.framed(wire.DATA, b"half"),), b"", "ended without a word"),
        ((b"Sorry, try again.",), b"", "cannot be understood"),
        ((wire.framed(wire.END, b"{"),), b"", "cannot be understood"),
        ((wire.framed(wire.END, b"[]"),), b"", "cannot be understood"),
        ((wire.framed(wire.END, b"[" * 100_000),), b"", "cannot be understood"),
        ((end(facts={"code": "none"}),), b"", "cannot be understood"),
        ((end(facts=[]),), b"", "cannot be understood"),
    ],
)
def test_without_an_answer_nothing_is_known(
    frames: tuple[bytes, ...], complaint: bytes, why: str
) -> None:
    with pytest.raises(TransportError, match=why):
        behalf(*frames, complaint=complaint).of("ann").commands.run(("scontrol", "ping"))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"outcome": "refused", "why": "not listed"}, NotPermitted),
        ({"outcome": "failed", "why": "f: no space", "errno": "ENOSPC"}, FileFailed),
        ({"outcome": "failed", "why": "killed", "errno": "ETIMEDOUT"}, TransportError),
        ({"outcome": "something else"}, FileFailed),
    ],
)
def test_what_is_not_done_is_an_error_of_its_kind(
    said: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        behalf(end(**said)).of("ann").files.remove("/home/ann/f")


def test_a_file_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    facts = {"kind": "file", "size": 9, "mode": 0, "mtime_ns": 0, "inode": 1, "offset": 0}
    hand = behalf(wire.framed_json(wire.FACTS, facts), wire.framed(wire.DATA, b"half"))
    taken = hand.of("ann").files.take("/home/ann/f")

    assert taken.facts.size == 9
    with pytest.raises(TransportError, match="ended without a word"):
        b"".join(taken.content)


def test_a_listing_without_end_is_not_kept() -> None:
    line = wire.framed(wire.DATA, json.dumps({"path": "x"}).encode())

    with pytest.raises(TransportError, match="more than 2 entries"):
        behalf(line, line, line, end()).of("ann").files.list("/home/ann", most=2)


def test_a_tools_words_have_a_bound() -> None:
    hand = OnBehalf(ScriptedHand(wire.framed(wire.DATA, b"x" * 11), end()), most_output=10)

    with pytest.raises(TransportError, match="more than 10 bytes"):
        hand.of("ann").commands.run(("scontrol", "ping"))
