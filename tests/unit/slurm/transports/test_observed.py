"""Every command is heard of, however it ends; one that is not wanted any more is not started."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Completed
from waldur_slurm.service.signals import Stopped
from waldur_slurm.slurm.transports.observed import ObservedTransport

Heard = list[tuple[tuple[str, ...], int | None]]


class Scripted:
    """A transport that answers, or does not."""

    def __init__(self, error: TransportError | None = None) -> None:
        self.error = error
        self.started: list[tuple[str, ...]] = []

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        self.started.append(argv)
        if self.error:
            raise self.error
        return Completed(3, f"{stdin}{environ}{timeout}", "")

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        self.started.append(argv)
        yield f"one{environ or ''}{timeout or ''}"
        if self.error:
            raise self.error
        believe(Completed(4, "", ""))


def observed(inner: Scripted, heard: Heard, *, is_stopping: bool = False) -> ObservedTransport:
    def before() -> None:
        if is_stopping:
            raise Stopped

    return ObservedTransport(inner, before, lambda argv, code, _: heard.append((argv, code)))


def test_what_is_asked_and_answered_passes_unchanged() -> None:
    heard: Heard = []
    transport = observed(Scripted(), heard)

    done = transport.run(("sinfo",), stdin="in", environ={"A": "1"}, timeout=timedelta(seconds=1))

    assert done.out == "in{'A': '1'}0:00:01"
    assert heard == [(("sinfo",), 3)]


def test_lines_pass_as_they_come_and_the_end_is_heard() -> None:
    heard: Heard = []
    believed: list[Completed] = []
    lines = observed(Scripted(), heard).stream(("sacct",), believe=believed.append)

    assert next(lines) == "one"
    assert heard == []
    assert list(lines) == []
    assert heard == [(("sacct",), 4)]
    assert [completed.code for completed in believed] == [4]


def test_a_command_that_never_ended_is_heard_of_without_a_code() -> None:
    heard: Heard = []
    transport = observed(Scripted(TransportError("time-out")), heard)

    with pytest.raises(TransportError):
        transport.run(("sinfo",))
    with pytest.raises(TransportError):
        list(transport.stream(("sacct",), believe=lambda _: None))

    assert heard == [(("sinfo",), None), (("sacct",), None)]


def test_nothing_is_started_any_more_once_the_agent_is_to_stop() -> None:
    inner, heard = Scripted(), Heard()
    transport = observed(inner, heard, is_stopping=True)

    with pytest.raises(Stopped):
        transport.run(("sacctmgr",))
    with pytest.raises(Stopped):
        list(transport.stream(("sacct",), believe=lambda _: None))

    assert (inner.started, heard) == ([], [])
