"""One conversation over two descriptors, as `wire` has it. Silence ends it.

Whoever stops reading or writing for `PATIENCE_S` is gone: SIGALRM then ends this process's wait, so
that no hand outlives its asker for long. A `Lost` is never told, for there is nobody to tell.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress

from waldur_slurm.hand import wire
from waldur_slurm.hand.errors import Failed, Lost, Refused

PATIENCE_S = 120


class Conversation:
    """Reads one request and its body from `source`, and answers to `sink`."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._frames = wire.Frames(wire.REQUEST + wire.DATA + wire.END)
        self._came: Iterator[tuple[bytes, bytes]] = iter(())

    def request(self) -> bytes:
        kind, payload = self._next()
        if kind != wire.REQUEST:
            raise Refused("a conversation begins with a request")
        return payload

    def body(self, most: int) -> Iterator[bytes]:
        """Yield the body as it comes, up to `most` bytes; only its own end ends it."""
        left = most
        while True:
            kind, payload = self._next()
            if kind == wire.END:
                return
            if kind != wire.DATA:
                raise Refused("a body is data, then its end")
            left -= len(payload)
            if left < 0:
                raise Refused(f"the body is larger than {most} bytes")
            yield payload

    def facts(self, facts: Mapping[str, object]) -> None:
        self._write(wire.framed_json(wire.FACTS, facts))

    def data(self, data: bytes | memoryview) -> None:
        self._write(wire.head(wire.DATA, len(data)), data)

    def said(self, data: bytes) -> None:
        self._write(wire.framed(wire.SAID, data))

    def done(self, facts: Mapping[str, object]) -> None:
        self._end(wire.DONE, "", "", facts)

    def refused(self, why: Refused) -> None:
        self._end(wire.REFUSED, str(why), "", {})

    def turned_away(self, why: Refused) -> int:
        """Refuse before anything was heard; return an exit code."""
        with suppress(Lost):
            self.refused(why)
        return 1

    def failed(self, why: Failed) -> None:
        self._end(wire.FAILED, str(why), why.name, {})

    def _end(self, outcome: str, why: str, name: str, facts: Mapping[str, object]) -> None:
        answer = {"outcome": outcome, "why": why, "errno": name, "facts": facts}
        self._write(wire.framed_json(wire.END, answer))

    def _next(self) -> tuple[bytes, bytes]:
        while True:
            frame = next(self._came, None)
            if frame is not None:
                return frame
            data = self._read()
            try:
                self._came = iter([*self._frames.cut(data)])
            except wire.BrokenWire as error:
                raise Lost(str(error)) from error

    def _read(self) -> bytes:
        signal.alarm(PATIENCE_S)
        try:
            data = os.read(self._source, wire.CHUNK)
        except OSError as error:
            raise Lost(f"the asker cannot be read: {error}") from error
        if not data:
            raise Lost("the asker ended in the middle")
        return data

    def _write(self, *parts: bytes | memoryview) -> None:
        signal.alarm(PATIENCE_S)
        left = [memoryview(part) for part in parts]
        try:
            while left:
                written = os.writev(self._sink, left)
                while left and written >= len(left[0]):
                    written -= len(left.pop(0))
                if left:
                    left[0] = left[0][written:]
        except OSError as error:
            raise Lost(f"the asker cannot be written to: {error}") from error


def end_silence() -> None:
    """Let SIGALRM raise `Lost` where this process waits, so that nothing half done stays."""
    signal.signal(signal.SIGALRM, _silent)


def _silent(_number: int, _frame: object) -> None:
    raise Lost(f"the asker was silent for {PATIENCE_S} s")
