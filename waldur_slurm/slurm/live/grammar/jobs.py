"""The queue: marked rows to jobs, one by one; what cannot be read is one unreadable job. Pure.

Fifty thousand jobs are of a few shapes. So a row is cut into what is the job's own, cell by cell,
and the rest in one piece. Within a listing each piece is read at its first coming, and kept.
"""

import re
from collections.abc import Callable, Iterable
from operator import call

from waldur_slurm.errors import InvalidName, UnparsableOutput
from waldur_slurm.model.batch import JobId, Task, job_id
from waldur_slurm.model.live import JobListing, LiveJob, UnreadableJob
from waldur_slurm.slurm.grammar.marks import split_heads
from waldur_slurm.slurm.grammar.states import parse_job_state
from waldur_slurm.slurm.grammar.values import parse_integer
from waldur_slurm.slurm.live.grammar.columns import OWN_COLUMNS, QueueRow
from waldur_slurm.slurm.live.grammar.values import (
    parse_bound,
    parse_duration,
    parse_exit,
    parse_known_duration,
    parse_shared_tres,
    parse_signed,
    parse_time,
    parse_word,
)

_TITLE = "JOBID"
_USUAL = re.compile(r"([1-9][0-9]{0,8})(?:_(0|[1-9][0-9]{0,8}))?", re.ASCII)

Read = Callable[[str], object]


def _text(text: str) -> str:
    """Read text that may be anybody's: only what Slurm writes for nothing is nothing."""
    return "" if text == "(null)" else text


def _id(text: str) -> JobId:
    """Read most of them, which are a job or one task, without looking for other parts."""
    usual = _USUAL.fullmatch(text)
    if usual is None:
        return job_id(text)
    number, task = usual.groups()
    return JobId(int(number), None if task is None else Task(int(task)))


def _flag(text: str) -> bool:
    return parse_integer(text) != 0


_READERS: dict[str, Read] = {
    "id": _id,
    "number": parse_integer,
    "state": parse_job_state,
    "reason": parse_word,
    "exit": parse_exit,
    "submitted": parse_time,
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
    "association": parse_integer,
    "name": str,
}
"""How a column is read; all others are text. The columns are in the order of a job's fields."""

_UNLIKE = frozenset({"id", "number", "priority", "stdout", "stderr", "comment", "name"})
"""Own columns in which hardly any text comes again, so that none is kept."""


class _Kept(dict[str, object]):
    """What texts mean to one reader, each read at its first coming."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def __missing__(self, text: str) -> object:
        value = self[text] = self._read(text)
        return value


class _Meanings:
    """What is known of one listing's texts; the next one begins anew."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._kept = {read: _Kept(read) for read in (_text, *_READERS.values())}
        readers = [self._reader(name) for name in QueueRow._fields]
        self._own, self._shared = readers[:OWN_COLUMNS], readers[OWN_COLUMNS:]
        self._rests: dict[str, tuple[object, ...]] = {}

    def _reader(self, name: str) -> Read:
        read = _READERS.get(name, _text)
        return read if name in _UNLIKE else self._kept[read].__getitem__

    def job(self, own: list[str], rest: str) -> LiveJob:
        shared = self._rests.get(rest) or self._read_rest(rest)
        job = LiveJob._make([*map(call, self._own, own), *shared])
        if job.submitted is None:
            raise UnparsableOutput("it has no time of submission")
        return job

    def _read_rest(self, rest: str) -> tuple[object, ...]:
        cells = rest.split(self._mark)[:-1]
        meaning = self._rests[rest] = tuple(map(call, self._shared, cells))
        return meaning


def parse_jobs(lines: Iterable[str], mark: str) -> JobListing | None:
    """Read the whole listing; None if there is not even a heading: then nobody answered.

    Above it may stand the name of a cluster that was asked for, or what a site says to everybody.
    """
    rows = split_heads(lines, mark, len(QueueRow._fields), OWN_COLUMNS)
    heading, _ = next(rows, (None, ""))
    if heading is None:
        return None
    if heading[0].rpartition("\n")[2] != _TITLE:
        raise UnparsableOutput(f"not the heading of a queue: {heading[0][:80]!r}")
    jobs: list[LiveJob] = []
    unreadable: list[UnreadableJob] = []
    meanings = _Meanings(mark)
    for own, rest in rows:
        try:
            jobs.append(meanings.job(own, rest))
        except (UnparsableOutput, InvalidName) as error:
            cells = (*own, *rest.split(mark)[:-1])
            unreadable.append(UnreadableJob(cells, str(error)))
    return JobListing(tuple(jobs), tuple(unreadable))


def is_no_job(said: str) -> bool:
    """What squeue says where the one job that it was asked for is not there, or can never be.

    It knows no number beyond 32 bits with a sign.
    """
    return re.search(r"Invalid job id(?: specified|: [0-9]+)$", said, re.MULTILINE) is not None
