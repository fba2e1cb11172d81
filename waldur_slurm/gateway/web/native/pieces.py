"""A piece of a job's output, read as the job's user from the file that Slurm writes to.

Whether the job is over is asked before its file is read: so what is complete is complete.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from waldur_slurm.gateway.errors import BeyondEnd, NotThere, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.filters import read_id
from waldur_slurm.gateway.web.native.owned import OwnedJob
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.slurm.transports.files import Files

MOST_READ = 1024 * 1024
LONGEST_WAIT_S = 60
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
"""Between two looks at a file that does not grow; each costs a process of its user's."""

Size = Annotated[int, msgspec.Meta(ge=1, le=MOST_READ)]


class OutputQuery(msgspec.Struct, frozen=True):
    """Up to `limit` bytes from `offset`, or the last `tail`. `task` is one of an array.

    `wait`: at most so many seconds until there is anything. `Accept: text/event-stream` follows it.
    """

    stream: Literal["out", "err"] = "out"
    offset: Annotated[int, msgspec.Meta(ge=0, lt=2**40)] | None = None
    limit: Size = MOST_READ
    tail: Size | None = None
    wait: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)] = 0
    task: Annotated[int, msgspec.Meta(ge=0, lt=10**9)] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of the output, where they begin and whether that was all of it."""

    data: bytes
    offset: int
    is_last: bool

    @property
    def following(self) -> int:
        return self.offset + len(self.data)


def wanted(ask: Ask, query: OutputQuery) -> JobId:
    """Return the job, or the task of it that the query names."""
    named = read_id(ask.request.path_params["job_id"])
    if query.task is None:
        return named
    task = JobId(named.number, Task(query.task))
    if named.part is not None and named != task:
        raise WrongAsk(f"task: {named} names another part of the job")
    return task


def longer(pause: float) -> float:
    return min(2 * pause, LONGEST_PAUSE_S)


async def read_piece(ask: Ask, job: OwnedJob, query: OutputQuery) -> Piece:
    """Read as much as there is; a job that has not written yet has written nothing."""
    path = job.output(query.stream)
    begin = query.offset or 0

    def read(files: Files) -> Piece:
        taken = files.take(
            path,
            offset=begin if query.tail is None else -query.tail,
            length=query.limit if query.tail is None else query.tail,
        )
        data = b"".join(taken.content)
        if taken.offset > taken.facts.size and not data:
            size = taken.facts.size
            raise BeyondEnd(f"the output has {size} bytes; it may have begun anew", size)
        is_all = taken.offset + len(data) >= taken.facts.size
        return Piece(data, taken.offset, job.is_over and is_all)

    try:
        return await ask.acting(job.user, lambda actor: read(actor.files))
    except NotThere:
        if job.is_over:
            raise NotThere(f"job {job.id} is over, and there is no {path}, or no longer") from None
        if begin:
            raise BeyondEnd("there is no output yet, or it begins anew", 0) from None
        return Piece(b"", 0, is_last=False)
