"""One copy of each text that comes again: names and uuids, from row to row and list to list.

`sys.intern` is not made for this: texts that are gone leave holes in its table, which belongs to
the whole program and is made anew, elsewhere, whenever it is full of them. A daemon's memory grew
by that, a megabyte at a time.
"""

from collections.abc import Sequence

MOST_COPIES = 200_000
"""What a very large site has at once; beyond it nothing is lost but the sharing."""

_copies: dict[str, str] = {}


def one_copy(text: str) -> str:
    """Return `text`, or the equal one that was met before."""
    _make_room()
    return _copies.setdefault(text, text)


def one_copy_each(texts: Sequence[str]) -> tuple[str, ...]:
    _make_room()
    return tuple(map(_copies.setdefault, texts, texts))


def _make_room() -> None:
    if len(_copies) >= MOST_COPIES:
        _copies.clear()
