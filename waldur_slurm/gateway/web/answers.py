"""Answers with their age: what a picture says, how old it is, and whether whoever asks has it."""

import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from hashlib import sha256
from io import BytesIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from waldur_slurm.gateway.picture.bodies import BodyKey
from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.ask import Ask

JSON = "application/json"
SLICE = 128 * 1024
"""What is handed to a connection at a time: one that does not read holds no more."""

_WORTH_PACKING = 4096
_VARY = "Authorization, X-Auth-Token, Cookie, Accept-Encoding"
_OF_GZIP = 16 + zlib.MAX_WBITS
_GZIP = b"\x1f\x8b"


def seen_headers(seen: Seen[object]) -> dict[str, str]:
    """How old it is; marked where Slurm does not answer any more (RFC 9111, RFC 9110)."""
    headers = {
        "Age": str(int(seen.age_s)),
        "Last-Modified": seen.picture.as_of.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Cache-Control": "private, no-cache",
        "Vary": _VARY,
    }
    if seen.silence:
        headers["Warning"] = '110 - "Slurm does not answer; this is the last that it said"'
    return headers


async def from_picture(
    ask: Ask,
    seen: Seen[object],
    representation: str,
    make: Callable[[], bytes],
    *,
    is_shared: bool,
) -> Response:
    """Answer with the bytes that `make` gives, made once a picture where all may see the same.

    `representation` names all that the bytes depend on beside the picture and who may see what.
    """
    request, picture = ask.request, seen.picture
    packs = takes_packed(request)
    key = BodyKey(
        cluster=ask.cluster.name,
        generation=picture.generation,
        representation=representation,
        visibility=ask.principal.visibility,
        encoding="gzip" if packs else "",
    )
    headers = seen_headers(seen) | {"ETag": _etag(ask, key)}
    if headers["ETag"] in _shown_etags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)

    def body() -> bytes:
        return packed(make()) if packs else make()

    made = await _made(ask, key, body, is_shared=is_shared)
    if packs and made[:2] == b"\x1f\x8b":
        headers["Content-Encoding"] = "gzip"
    return in_slices(made, headers)


async def from_pieces(
    ask: Ask,
    seen: Seen[object],
    representation: str,
    make: Callable[[], Iterable[bytes]],
    *,
    is_shared: bool,
) -> Response:
    """Answer with a body that is too large to be held: packed as it is made, and kept so alone.

    It is as wordy as a client of long ago expects, so packed it is small. Whoever does not take
    it packed is sent it as it is unpacked.
    """
    request = ask.request
    packs = takes_packed(request)
    key = BodyKey(
        cluster=ask.cluster.name,
        generation=seen.picture.generation,
        representation=representation,
        visibility=ask.principal.visibility,
        encoding="gzip",
    )
    headers = seen_headers(seen) | {"ETag": _etag(ask, key._replace(encoding="gzip" * packs))}
    if headers["ETag"] in _shown_etags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)

    def ready() -> bytes:
        return pieces_packed(make())

    made = await _made(ask, key, ready, is_shared=is_shared)
    if packs:
        return in_slices(made, headers | {"Content-Encoding": "gzip"})
    return StreamingResponse(_unpacked(made), headers=headers, media_type=JSON)


async def _made(ask: Ask, key: BodyKey, make: Callable[[], bytes], *, is_shared: bool) -> bytes:
    """Make it, in a thread; once for all where they may see the same."""
    site = ask.site
    return await (site.making.body(key, make) if is_shared else site.crossing.bodies.run(make))


def pieces_packed(pieces: Iterable[bytes]) -> bytes:
    buffer = BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as file:
        for piece in pieces:
            file.write(piece)
    return buffer.getvalue()


async def _unpacked(body: bytes) -> AsyncIterator[bytes]:
    unpacking = zlib.decompressobj(_OF_GZIP)
    while not unpacking.eof:
        yield unpacking.decompress(body, SLICE)
        body = unpacking.unconsumed_tail


async def made_once(ask: Ask, make: Callable[[], bytes]) -> Response:
    """Answer with what is made for this one question, in a thread, and kept for nobody."""
    packs, headers = takes_packed(ask.request), {"Vary": _VARY}
    body = await ask.site.crossing.bodies.run(lambda: packed(make()) if packs else make())
    if body[:2] == _GZIP:
        headers["Content-Encoding"] = "gzip"
    return in_slices(body, headers)


def takes_packed(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def packed(body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0) if len(body) >= _WORTH_PACKING else body


def in_slices(body: bytes, headers: dict[str, str], media_type: str = JSON) -> Response:
    """Answer with ready bytes; large ones go out as fast as they are read."""
    if len(body) <= SLICE:
        return Response(body, headers=headers, media_type=media_type)
    headers = headers | {"Content-Length": str(len(body))}
    return StreamingResponse(_slices(body), headers=headers, media_type=media_type)


async def _slices(body: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(body)
    for begin in range(0, len(body), SLICE):
        yield view[begin : begin + SLICE]


def _etag(ask: Ask, key: BodyKey) -> str:
    """Two who may see different things never have the same; nobody can guess another's."""
    text = "\0".join((ask.site.mark, *map(str, key)))
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _shown_etags(header: str) -> set[str]:
    return {part.strip().removeprefix("W/") for part in header.split(",")}
