"""One look from its rows, and several looks as one. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from waldur_slurm.operator.jobs.port import Found
from waldur_slurm.operator.ways.whole import Row, are_several, whole_of


def found_from(
    rows: Iterable[Row],
    *,
    as_of: datetime,
    absent: Collection[str],
    unknown: Mapping[str, str],
    tried: Collection[str] = (),
) -> Found:
    """Put a look together from its rows; `unknown` says why."""
    of_marks: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_marks[row.seen.ref.mark].append(row)
    doubts = {mark: _words(mark, some) for mark, some in of_marks.items() if are_several(some)}
    whys = {**unknown, **doubts}
    return Found(
        as_of=as_of,
        jobs={mark: whole_of(some) for mark, some in of_marks.items() if mark not in doubts},
        absent=frozenset(absent),
        unknown=frozenset(whys),
        said=_joined(whys.values()),
        tried=frozenset(tried),
    )


def together(parts: Sequence[Found]) -> Found:
    """Put looks together that asked for different marks; it is as old as the oldest of them."""
    return Found(
        as_of=min(part.as_of for part in parts),
        jobs={mark: job for part in parts for mark, job in part.jobs.items()},
        absent=frozenset().union(*(part.absent for part in parts)),
        unknown=frozenset().union(*(part.unknown for part in parts)),
        said=_joined(part.said for part in parts),
        tried=frozenset().union(*(part.tried for part in parts)),
        shut={mark: why for part in parts for mark, why in part.shut.items()},
    )


def _joined(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, words)))


def _words(mark: str, rows: Iterable[Row]) -> str:
    numbers = ", ".join(sorted({str(row.id.whole) for row in rows}))
    return f"several jobs carry the mark {mark}: {numbers}"
