"""A child's stdin may come while it runs, and silence is not the same as taking long."""

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.child import Child, Ended

ENVIRON = {"PATH": "/usr/bin:/bin"}


def heard(
    argv: tuple[str, ...],
    stdin: bytes | Iterable[bytes],
    *,
    ms: int = 5000,
    may_go_on: bool = False,
) -> tuple[bytes, int]:
    child = Child(
        argv,
        stdin=stdin,
        environ=ENVIRON,
        timeout=timedelta(milliseconds=ms),
        may_go_on=may_go_on,
    )
    out, code = b"", -1
    for event in child.events():
        if isinstance(event, Ended):
            code = event.code
        else:
            out += event[1]
    return out, code


def test_stdin_comes_in_pieces_that_are_made_while_the_child_reads() -> None:
    pieces = [b"a" * 200_000, b"", b"b" * 10]

    assert heard(("cat",), iter(pieces)) == (b"".join(pieces), 0)


def test_no_pieces_are_an_empty_stdin() -> None:
    assert heard(("cat",), iter(())) == (b"", 0)


def test_a_child_that_reads_no_more_does_not_hear_the_rest() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    assert heard((sys.executable, "-c", "print('enough')"), endless()) == (b"enough\n", 0)


def test_what_fails_while_it_is_made_ends_the_child() -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        heard(("cat",), broken())


def test_a_child_that_goes_on_may_take_longer_than_the_time_of_silence() -> None:
    def slow() -> Iterator[bytes]:
        for _ in range(6):
            time.sleep(0.1)
            yield b"x"

    assert heard(("cat",), slow(), ms=400, may_go_on=True) == (b"xxxxxx", 0)


def test_a_silent_child_is_ended_all_the_same() -> None:
    with pytest.raises(TransportError, match="did not end within"):
        heard(("sleep", "30"), b"", ms=200, may_go_on=True)
