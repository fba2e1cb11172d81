"""How the hand is spoken to: frames both ways, one request a conversation. Pure.

A frame is one letter, the length of what follows in four bytes (big-endian), and that. The asker
sends `R` once, a JSON object whose keys `requests` lists; where the verb takes a body, then `D`
(some of the body) any number of times and `E` once. An end of the stream before `E` is a broken
conversation, never the end of the body: half a script is not run, half a file is not kept.

The hand sends `F` at most once (JSON: what is known before the data, such as a file's size), `D`
(data, or a tool's stdout) and `S` (a tool's stderr) any number of times, and `E` once, a JSON
object: `outcome` is `done`, `refused` (outside of the grammar or of hand.conf: nothing was done) or
`failed` (it was tried, and the system refused). `why` is a sentence, `errno` the name of the
system's error where there is one, and `facts` what is known at the end. Without `E` nothing is
known.

File names are bytes to the system and text here: UTF-8, what is not UTF-8 as lone surrogates.
"""

import json
from collections.abc import Iterator, Mapping

REQUEST, DATA, END, FACTS, SAID = b"R", b"D", b"E", b"F", b"S"
HEAD = 5
MOST_FRAME = 1024 * 1024
CHUNK = 256 * 1024

DONE, REFUSED, FAILED = "done", "refused", "failed"


class BrokenWire(ValueError):
    """What came is not a frame."""


def head(kind: bytes, length: int) -> bytes:
    return kind + length.to_bytes(4, "big")


def framed(kind: bytes, payload: bytes = b"") -> bytes:
    return head(kind, len(payload)) + payload


def framed_json(kind: bytes, value: Mapping[str, object]) -> bytes:
    return framed(kind, json.dumps(value, separators=(",", ":")).encode("ascii"))


class Frames:
    """Cuts what comes, in pieces of any size, into frames."""

    def __init__(self, kinds: bytes) -> None:
        self._kinds = kinds
        self._open = bytearray()

    def cut(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        self._open += data
        while len(self._open) >= HEAD:
            kind, length = bytes(self._open[:1]), int.from_bytes(self._open[1:HEAD], "big")
            if kind not in self._kinds or length > MOST_FRAME:
                raise BrokenWire(f"no frame begins with {bytes(self._open[:HEAD])!r}")
            if len(self._open) < HEAD + length:
                return
            payload = bytes(self._open[HEAD : HEAD + length])
            del self._open[: HEAD + length]
            yield kind, payload


def to_text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def to_bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
