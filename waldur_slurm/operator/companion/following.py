"""What a job writes, told as it comes until the job is over.

Each look at its output costs the gateway a process of the job's user: a quiet job is looked at ever
more rarely, and what it wrote last is read when it has ended.
"""

from collections.abc import Callable

from waldur_slurm.operator.companion.errors import Missing
from waldur_slurm.operator.companion.port import JobNow, Source, Stream

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
MUCH = 64 * 1024
"""Where so much was to be had there is more already, which is read at once."""

Write = Callable[[bytes], None]
Say = Callable[[str], None]


def follow(source: Source, write: Write, say: Say) -> JobNow:
    """Write all of its output, and return how it ended."""
    now = source.look()
    if now.is_array:
        say("an array has an output a task, so none is shown here")
    else:
        now = _follow_output(source, now, write, say)
    while not now.is_over:
        now = source.look_again(LONGEST_PAUSE_S)
    return now


def write_errors(source: Source, now: JobNow, write: Write, say: Say) -> None:
    """Write what it wrote to an error stream of its own, if it has one."""
    if now.is_array or not now.stderr or now.stderr == now.stdout:
        return
    try:
        _write_rest(source, "err", 0, write)
    except Missing as error:
        say(f"its errors cannot be shown: {error}")


def _follow_output(source: Source, now: JobNow, write: Write, say: Say) -> JobNow:
    offset, pause_s = 0, FIRST_PAUSE_S
    try:
        while not now.is_over:
            piece = source.read_output("out", offset)
            pause_s = FIRST_PAUSE_S if piece.data else min(2 * pause_s, LONGEST_PAUSE_S)
            offset = piece.next_offset
            write(piece.data)
            if len(piece.data) < MUCH:
                now = source.look_again(pause_s)
        _write_rest(source, "out", offset, write)
    except Missing as error:
        say(f"its output cannot be shown: {error}")
    return now


def _write_rest(source: Source, stream: Stream, offset: int, write: Write) -> None:
    """Read to the end of a job that is over: there, nothing more is nothing more."""
    while True:
        piece = source.read_output(stream, offset)
        write(piece.data)
        if piece.is_last or not piece.data:
            return
        offset = piece.next_offset
