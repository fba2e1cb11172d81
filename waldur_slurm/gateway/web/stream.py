"""Answers that are written while they are read: long ones in little memory.

A piece is asked for in a thread, and the next one when the client has taken it: who reads
slowly holds no thread, and no more than a piece.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

_A_PIECE = 500


async def in_pieces(
    ask: Callable[[Callable[[], list[Item]]], Awaitable[list[Item]]],
    read: Callable[[], Iterator[Item]],
    write: Callable[[list[Item]], bytes],
) -> AsyncIterator[bytes]:
    """Yield what `write` makes of some items after the other."""
    items: Iterator[Item] | None = None

    def some() -> list[Item]:
        nonlocal items
        items = items or read()
        return list(islice(items, _A_PIECE))

    while piece := await ask(some):
        yield write(piece)


async def begun(pieces: AsyncIterator[bytes], head: bytes) -> AsyncIterator[bytes]:
    """Wait for the first piece: what fails at once is refused then, and not cut off later."""
    first = await anext(pieces, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield head + first
        async for piece in pieces:
            yield piece

    return whole()
