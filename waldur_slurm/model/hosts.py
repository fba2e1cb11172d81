"""Lists of hosts as Slurm writes them: `n[001-004,9]-ib,rack[1-2]n[1-2]` to names and back.

What this module says is what `scontrol show hostnames` and `scontrol show hostlist` say, order and
repetitions included; a text that they would have to guess at is refused. A list is counted before
it is spread out, since a few letters can name more hosts than fit into memory.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.counting import counted

MOST_HOSTS = 65_536
"""What Slurm itself takes for one range."""

MOST_LETTERS = 4_000_000
_DIGITS = 18
"""Beyond it numbers no longer fit into Slurm's own, which then shortens them."""

_RANGE = re.compile(rf"(\d{{1,{_DIGITS}}})(?:-(\d{{1,{_DIGITS}}}))?", re.ASCII)
_PIECES = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9,-]*\]", re.ASCII)
_ITEM = re.compile(rf"(?:{_PIECES.pattern})+", re.ASCII)
_COMMA = re.compile(r",(?![^\[\]]*\])")
_NUMBERED = re.compile(rf"(.*?)(\d{{1,{_DIGITS}}})", re.ASCII)


class _Range(NamedTuple):
    """Numbers from `first` to `last`, each written with at least `width` digits."""

    first: int
    last: int
    width: int

    def __str__(self) -> str:
        first = f"{self.first:0{self.width}}"
        return first if self.first == self.last else f"{first}-{self.last:0{self.width}}"

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def spread(self) -> Iterator[str]:
        return (f"{number:0{self.width}}" for number in range(self.first, self.last + 1))


_Piece = str | tuple[_Range, ...]


def count_hosts(text: str) -> int:
    """Return how many names a list holds, without making them."""
    return sum(map(_count, _items(text)))


def expand_hosts(text: str, *, most: int = MOST_HOSTS) -> tuple[str, ...]:
    """Return the names of a list in its own order, or raise `InvalidName`."""
    items = [*_items(text)]
    count = sum(map(_count, items))
    if count > most:
        raise InvalidName(f"a list of {count} hosts, more than {most}: {_shown(text)}")
    return tuple(name for item in items for name in _spread(item))


def fold_hosts(names: Iterable[str]) -> str:
    """Write names as one list, neighbours in brackets; `expand_hosts` gives the same names back."""
    folded: list[tuple[str, list[_Range]]] = []
    for name in names:
        if _ITEM.fullmatch(name) is None or "[" in name:
            raise InvalidName(f"not the name of a host: {_shown(name)}")
        found = _NUMBERED.fullmatch(name)
        if found is None:
            folded.append((name, []))
        elif folded and folded[-1][1] and folded[-1][0] == found[1]:
            _add(folded[-1][1], found[2])
        else:
            folded.append((found[1], [_single(found[2])]))
    return ",".join(_written(prefix, ranges) for prefix, ranges in folded)


def _items(text: str) -> Iterator[tuple[_Piece, ...]]:
    if len(text) > MOST_LETTERS:
        raise InvalidName(f"a list of hosts of {counted(len(text), 'letter')}")
    for item in _COMMA.split(text) if text else ():
        if _ITEM.fullmatch(item) is None:
            raise InvalidName(f"not a list of hosts: {_shown(item)}")
        yield tuple(map(_piece, _PIECES.findall(item)))


def _piece(text: str) -> _Piece:
    if not text.startswith("["):
        return text
    return tuple(map(_range, text[1:-1].split(",")))


def _range(text: str) -> _Range:
    found = _RANGE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2] or found[1]):
        raise InvalidName(f"not a range of hosts: {_shown(text)}")
    return _Range(int(found[1]), int(found[2] or found[1]), len(found[1]))


def _count(item: Sequence[_Piece]) -> int:
    return math.prod(
        1 if isinstance(piece, str) else sum(each.size for each in piece) for piece in item
    )


def _spread(item: Sequence[_Piece]) -> Iterator[str]:
    """Slurm turns the last brackets fastest, and of those before them the first."""
    places = [at for at, piece in enumerate(item) if not isinstance(piece, str)]
    slowest_first = [*reversed(places[:-1]), *places[-1:]]
    for chosen in product(*(_choices(item[at]) for at in slowest_first)):
        at_place = dict(zip(slowest_first, chosen, strict=True))
        yield "".join(at_place.get(at, str(piece)) for at, piece in enumerate(item))


def _choices(piece: _Piece) -> Sequence[str]:
    if isinstance(piece, str):
        return (piece,)
    return [number for each in piece for number in each.spread()]


def _single(digits: str) -> _Range:
    return _Range(int(digits), int(digits), len(digits))


def _add(ranges: list[_Range], digits: str) -> None:
    """Lengthen the last range where its own width writes the number as it stands."""
    last = ranges[-1]
    if int(digits) == last.last + 1 and f"{int(digits):0{last.width}}" == digits:
        ranges[-1] = last._replace(last=int(digits))
    else:
        ranges.append(_single(digits))


def _written(prefix: str, ranges: Sequence[_Range]) -> str:
    numbers = ",".join(map(str, ranges))
    is_one = len(ranges) == 1 and ranges[0].size == 1
    return f"{prefix}{numbers}" if is_one or not ranges else f"{prefix}[{numbers}]"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:80]}...")
