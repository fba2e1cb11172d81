"""The queue: marked rows to jobs, one by one; what cannot be read is one unreadable job. Pure.

Fifty thousand jobs are of a few shapes: within a listing what a cell means is read once, and kept.
"""

import re
from collections.abc import Callable, Iterable
from operator import getitem

from waldur_slurm.errors import InvalidName, UnparsableOutput
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.live import JobListing, LiveJob, UnreadableJob
from waldur_slurm.slurm.grammar.marks import split_marked
from waldur_slurm.slurm.grammar.states import parse_job_state
from waldur_slurm.slurm.grammar.values import parse_integer
from waldur_slurm.slurm.live.grammar.columns import QueueRow
from waldur_slurm.slurm.live.grammar.values import (
    parse_bound,
    parse_duration,
    parse_exit,
    parse_known_duration,
    parse_known_time,
    parse_shared_tres,
    parse_signed,
    parse_time,
    parse_word,
)

_TITLE = "JOBID"
_PLAIN = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

Read = Callable[[str], object]


def _text(text: str) -> str:
    """Read text that may be anybody's: only what Slurm writes for nothing is nothing."""
    return "" if text == "(null)" else text


def _id(text: str) -> JobId:
    """Read most of them, which are plain numbers, without looking for parts."""
    return JobId(int(text)) if _PLAIN.fullmatch(text) else job_id(text)


def _flag(text: str) -> bool:
    return parse_integer(text) != 0


_READERS: dict[str, Read] = {
    "id": _id,
    "number": parse_integer,
    "state": parse_job_state,
    "reason": parse_word,
    "exit": parse_exit,
    "submitted": parse_known_time,
    "eligible": parse_time,
    "start": parse_time,
    "end": parse_time,
    "considered": parse_time,
    "limit": parse_duration,
    "elapsed": parse_known_duration,
    "uid": parse_integer,
    "gid": parse_integer,
    "priority": parse_integer,
    "nice": parse_signed,
    "restarts": parse_integer,
    "may_requeue": _flag,
    "node_count": parse_integer,
    "cpus": parse_integer,
    "tasks": parse_bound,
    "tres": parse_shared_tres,
    "tres_per_node": parse_word,
    "hosts": parse_word,
    "batch_host": parse_word,
    "requested_hosts": parse_word,
    "scheduled_hosts": parse_word,
    "name": str,
}
"""How a column is read; all others are text. The columns are in the order of a job's fields."""

_OF_ITS_OWN = frozenset(
    {"id", "number", "priority", "stdout", "stderr", "command", "comment", "name"}
)
"""Columns in which hardly anything comes again."""


class _Kept(dict[str, object]):
    """What each text of a column means, read at its first coming."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def __missing__(self, text: str) -> object:
        value = self[text] = self._read(text)
        return value


class _Passing(_Kept):
    """The same for a column whose texts are not worth keeping."""

    def __missing__(self, text: str) -> object:
        return self._read(text)


def _meanings() -> list[_Kept]:
    """Begin anew with each listing: what is kept goes with it."""
    return [
        (_Passing if name in _OF_ITS_OWN else _Kept)(_READERS.get(name, _text))
        for name in QueueRow._fields
    ]


def parse_jobs(lines: Iterable[str], mark: str) -> JobListing | None:
    """Read the whole listing; None if there is not even a heading: then nobody answered.

    Above it may stand the name of a cluster that was asked for, or what a site says to everybody.
    """
    rows = split_marked(lines, mark, len(QueueRow._fields))
    heading = next(rows, None)
    if heading is None:
        return None
    if heading[0].rpartition("\n")[2] != _TITLE:
        raise UnparsableOutput(f"not the heading of a queue: {heading[0][:80]!r}")
    jobs: list[LiveJob] = []
    unreadable: list[UnreadableJob] = []
    meanings = _meanings()
    for cells in rows:
        try:
            jobs.append(LiveJob._make(map(getitem, meanings, cells)))
        except (UnparsableOutput, InvalidName) as error:
            unreadable.append(UnreadableJob(cells, str(error)))
    return JobListing(tuple(jobs), tuple(unreadable))
