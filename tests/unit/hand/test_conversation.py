"""A conversation ends in an answer, or because the asker is gone; it never waits for ever."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from waldur_slurm.hand import conversation, wire
from waldur_slurm.hand.conversation import Conversation, end_silence
from waldur_slurm.hand.errors import Lost, Refused


@pytest.fixture
def alarms() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def said(alarms: None) -> Iterator[Callable[[bytes], Conversation]]:
    """Make the hand's side of a conversation whose asker has said this, and hung up."""
    opened: list[int] = []

    def say(data: bytes) -> Conversation:
        source, asker = os.pipe()
        ears, sink = os.pipe()
        os.write(asker, data)
        os.close(asker)
        opened.extend((source, ears, sink))
        return Conversation(source, sink)

    yield say
    for descriptor in opened:
        os.close(descriptor)


def test_a_body_ends_by_its_end_alone(said: Callable[[bytes], Conversation]) -> None:
    parts = wire.framed(wire.DATA, b"one") + wire.framed(wire.DATA, b"two")

    assert [*said(parts + wire.framed(wire.END)).body(6)] == [b"one", b"two"]
    with pytest.raises(Lost, match="ended in the middle"):
        [*said(parts).body(6)]


def test_a_body_has_a_bound(said: Callable[[bytes], Conversation]) -> None:
    with pytest.raises(Refused, match="larger than 2 bytes"):
        [*said(wire.framed(wire.DATA, b"one")).body(2)]


def test_a_conversation_begins_with_a_request(said: Callable[[bytes], Conversation]) -> None:
    assert said(wire.framed(wire.REQUEST, b"{}")).request() == b"{}"
    with pytest.raises(Refused, match="begins with a request"):
        said(wire.framed(wire.DATA, b"{}")).request()
    with pytest.raises(Lost, match="no frame"):
        said(b"GET / HTTP/1.1").request()


def test_who_is_silent_is_gone(alarms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "PATIENCE_S", 1)
    source, asker = os.pipe()
    end_silence()
    with pytest.raises(Lost, match="silent"):
        Conversation(source, asker).request()
    os.close(source)
    os.close(asker)


def test_who_does_not_listen_is_gone(alarms: None) -> None:
    source, sink = os.pipe()
    os.close(source)
    with pytest.raises(Lost, match="cannot be written to"):
        Conversation(source, sink).data(b"x")
    os.close(sink)
