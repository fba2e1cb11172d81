"""A part of a file, as a `Range` asks for it (RFC 9110, 14). Pure.

One part at a time is given. What is not understood, or asks for several, is as if it were not
there, as the RFC wants it: the answer is the whole.
"""

import re
from typing import NamedTuple, Self

_RANGE = re.compile(r"bytes *= *(\d{0,18}) *- *(\d{0,18}) *", re.ASCII | re.IGNORECASE)


class Part(NamedTuple):
    """From `first` up to `end`, which is not in it; below 0 from the file's end."""

    first: int
    end: int | None = None

    @property
    def length(self) -> int | None:
        return None if self.end is None else self.end - self.first

    def within(self, size: int) -> Self | None:
        """Return the part of a file of this size that is there; None where nothing is."""
        first = self.first if self.first >= 0 else max(size + self.first, 0)
        end = size if self.end is None else min(self.end, size)
        return type(self)(first, end) if first < end else None


WHOLE = Part(0)
NOTHING = Part(0, 0)


def parse_range(header: str) -> Part | None:
    """Read `bytes=0-99`, `bytes=100-` or `bytes=-500`; None where the whole is to be sent."""
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return Part(-int(found[2])) if int(found[2]) else NOTHING
    if not found[2]:
        return Part(int(found[1]))
    first, last = int(found[1]), int(found[2])
    return Part(first, last + 1) if first <= last else None


def content_range(part: Part | None, size: int) -> str:
    """Write the header of what is sent; without a part, of what is refused."""
    return f"bytes */{size}" if part is None else f"bytes {part.first}-{(part.end or 0) - 1}/{size}"
