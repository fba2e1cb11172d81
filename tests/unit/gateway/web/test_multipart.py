"""One part of an upload, however it is cut; what is not whole is not taken."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from waldur_slurm.gateway.errors import WrongAsk, WrongType
from waldur_slurm.gateway.web.multipart import part_of

KIND = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"
HEAD = (
    b"------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
    b'Content-Disposition: form-data; name="%s"; filename="test.zip"\r\n'
    b"Content-Type: application/zip\r\n\r\n"
)
END = b"\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n"
ARCHIVE = bytes(range(256)) * 40 + b"\r\n--" + b"------WebKit" * 3


def body(*names: str) -> bytes:
    parts = (HEAD % name.encode() + ARCHIVE + b"\r\n" for name in names)
    return b"".join(parts).removesuffix(b"\r\n") + END


def received(sent: bytes, step: int, content_type: str = KIND) -> bytes:
    """Return what is had of a body that comes in pieces of this size."""

    async def stream() -> AsyncIterator[bytes]:
        for begin in range(0, len(sent), step):
            yield sent[begin : begin + step]

    async def read() -> bytes:
        part = await part_of(stream(), content_type, "job_dir", "application/zip")
        return b"".join([piece async for piece in part])

    return asyncio.run(read())


@pytest.mark.parametrize("step", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("names", [("job_dir",), ("other", "job_dir"), ("job_dir", "other")])
def test_the_part_comes_whole_however_it_is_cut(step: int, names: tuple[str, ...]) -> None:
    assert received(body(*names), step) == ARCHIVE


def test_of_two_parts_with_the_name_the_first_is_taken() -> None:
    assert received(body("job_dir", "job_dir"), 100) == ARCHIVE


@pytest.mark.parametrize("cut", [4, len(END), len(END) + 10])
def test_a_body_that_was_cut_off_raises_and_is_never_taken_for_a_whole_one(cut: int) -> None:
    with pytest.raises(WrongAsk, match="last boundary"):
        received(body("job_dir")[:-cut], 100)


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        (body("file"), KIND),
        (b"PK", "application/zip"),
        (body("job_dir"), "multipart/form-data"),
        (b"", KIND),
        (HEAD % (b"x" * 20_000), KIND),
        (b"no multipart at all", KIND),
    ],
)
def test_what_has_no_such_part_is_refused(sent: bytes, content_type: str) -> None:
    with pytest.raises(WrongAsk):
        received(sent, 1000, content_type)


def test_a_part_of_another_type_is_refused_as_that() -> None:
    sent = body("job_dir").replace(b"application/zip", b"application/x-tar")

    with pytest.raises(WrongType, match=r"application/x-tar; application/zip is expected"):
        received(sent, 100)
