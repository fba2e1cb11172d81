"""One part of a multipart body, as it comes in: nothing of it is held.

A body that ends before it said that it ends raises, so that whoever reads it drops what he read.
"""

from collections.abc import AsyncIterator
from email.message import Message

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from waldur_slurm.gateway.errors import WrongAsk, WrongType

_MOST_HEAD = 16 * 1024


class _Heads:
    """Listens to the parser: which part it is in, and what of it came since."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._name = self._value = b""
        self._size = 0
        self._headers = Message()
        self.is_wanted = self.is_over = self.has_ended = False
        self.content_type = ""
        self.data: list[bytes] = []

    def begin_part(self) -> None:
        self._headers, self._name, self._value = Message(), b"", b""

    def field(self, data: bytes, start: int, end: int) -> None:
        self._name += self._bounded(data[start:end])

    def value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._bounded(data[start:end])

    def end_header(self) -> None:
        self._headers[self._name.decode("latin-1")] = self._value.decode("latin-1")
        self._name = self._value = b""

    def end_headers(self) -> None:
        name = self._headers.get_param("name", header="content-disposition")
        if name == self._wanted and not self.is_over:
            self.is_wanted = True
            self.content_type = self._headers.get_content_type()

    def part(self, data: bytes, start: int, end: int) -> None:
        if self.is_wanted:
            self.data.append(data[start:end])

    def end_part(self) -> None:
        self.is_over = self.is_over or self.is_wanted
        self.is_wanted = False

    def end(self) -> None:
        self.has_ended = True

    def _bounded(self, data: bytes) -> bytes:
        self._size += len(data)
        if self._size > _MOST_HEAD:
            raise WrongAsk(f"the heads of the parts have more than {_MOST_HEAD} bytes")
        return data


async def part_of(
    stream: AsyncIterator[bytes], content_type: str, wanted: str, kind: str
) -> AsyncIterator[bytes]:
    """Return the part of that name; raises `WrongAsk` where there is none, else `WrongType`."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    if message.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise WrongAsk(f"expected multipart/form-data with a part {wanted}")
    heads = _Heads(wanted)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": heads.begin_part,
            "on_header_field": heads.field,
            "on_header_value": heads.value,
            "on_header_end": heads.end_header,
            "on_headers_finished": heads.end_headers,
            "on_part_data": heads.part,
            "on_part_end": heads.end_part,
            "on_end": heads.end,
        },
    )
    pieces = _parsed(stream, parser, heads)
    async for _ in pieces:
        if heads.is_wanted or heads.is_over:
            break
    else:
        raise WrongAsk(f"there is no part {wanted}")
    if heads.content_type != kind:
        raise WrongType(f"the part {wanted} is of type {heads.content_type}; {kind} is expected")
    return _data(pieces, heads)


async def _parsed(
    stream: AsyncIterator[bytes], parser: MultipartParser, heads: _Heads
) -> AsyncIterator[None]:
    """Step through the body, piece by piece."""
    async for piece in stream:
        try:
            parser.write(piece)
        except MultipartParseError as error:
            raise WrongAsk(f"the body is no multipart/form-data: {error}") from None
        yield
    if not heads.has_ended:
        raise WrongAsk("the body ends before its last boundary")


async def _data(pieces: AsyncIterator[None], heads: _Heads) -> AsyncIterator[bytes]:
    """Yield what came with the piece that began the part, then the rest, to the body's end."""
    while True:
        gathered, heads.data = heads.data, []
        for data in gathered:
            yield data
        try:
            await anext(pieces)
        except StopAsyncIteration:
            break
    for data in heads.data:
        yield data
