"""Transports without Slurm: one that plays what was recorded, one that plays what a test says."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

from waldur_slurm.errors import TransportError
from waldur_slurm.processes.port import Completed, Transport

Argv = tuple[str, ...]
DRAWN = re.compile(r"[0-9a-f]{32}", re.ASCII)
Played = Completed | TransportError


@dataclass
class ScriptedTransport:
    """Plays `script` in order, whatever is asked, and remembers what was asked."""

    script: list[Played]
    asked: list[Argv] = field(default_factory=list)
    fed: list[str] = field(default_factory=list)
    environs: list[Mapping[str, str]] = field(default_factory=list)

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,  # noqa: ARG002 - what is played takes no time
    ) -> Completed:
        self.asked.append(argv)
        self.fed.append(stdin)
        self.environs.append(dict(environ or {}))
        played = self.script.pop(0)
        if isinstance(played, TransportError):
            raise played
        return played

    def stream(
        self,
        argv: Argv,
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        completed = self.run(argv, environ=environ, timeout=timeout)
        yield from completed.out.removesuffix("\n").split("\n") if completed.out else ()
        believe(Completed(completed.code, "", completed.err))


@dataclass
class PairedTransport:
    """Answers each listing by its kind, and none before another one has been asked for."""

    answers: Mapping[str, Completed]
    pair: Barrier = field(default_factory=lambda: Barrier(2, timeout=30))
    asked: list[Argv] = field(default_factory=list)

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",  # noqa: ARG002 - questions are told apart by their argv
        environ: Mapping[str, str] | None = None,  # noqa: ARG002 - no listing depends on it
        timeout: timedelta | None = None,  # noqa: ARG002 - the barrier has its own
    ) -> Completed:
        self.asked.append(argv)
        kind = next((word for word in argv if word in self.answers), None)
        if kind is None:
            return Completed(0, "", "")
        self.pair.wait()
        return self.answers[kind]

    def stream(
        self,
        argv: Argv,
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        raise NotImplementedError("nothing that is listed in pairs is streamed")


@dataclass(frozen=True)
class Call:
    """One call to a real Slurm as it went."""

    argv: Argv
    stdin: str
    completed: Completed


@dataclass
class RecordingTransport:
    """Passes everything on, and keeps what came back."""

    real: Transport
    calls: list[Call] = field(default_factory=list)

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        completed = self.real.run(argv, stdin=stdin, environ=environ, timeout=timeout)
        self.calls.append(Call(argv, stdin, completed))
        return completed

    def stream(
        self,
        argv: Argv,
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        completed = self.run(argv, environ=environ, timeout=timeout)
        yield from completed.out.removesuffix("\n").split("\n") if completed.out else ()
        believe(Completed(completed.code, "", completed.err))


@dataclass(frozen=True)
class LesserTransport:
    """Runs everything as another unix user of this machine; only root can."""

    real: Transport
    user: str

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        # What is written to the user has to come through a pipe of the user's own.
        piped = ("sh", "-c", 'cat | "$@"', "sh", *argv) if stdin else argv
        return self.real.run(self._lesser(piped), stdin=stdin, environ=environ, timeout=timeout)

    def stream(
        self,
        argv: Argv,
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        yield from self.real.stream(
            self._lesser(argv), believe=believe, environ=environ, timeout=timeout
        )

    def _lesser(self, argv: Argv) -> Argv:
        return ("setpriv", f"--reuid={self.user}", "--regid=nogroup", "--clear-groups", *argv)


def write_calls(file: Path, calls: list[Call]) -> None:
    file.write_text(json.dumps([asdict(call) for call in calls], indent=1) + "\n")


def read_calls(file: Path) -> list[Call]:
    return [
        Call(tuple(each["argv"]), each["stdin"], Completed(**each["completed"]))
        for each in json.loads(file.read_text())
    ]


def replay(file: Path) -> "ReplayTransport":
    return ReplayTransport(read_calls(file))


@dataclass
class ReplayTransport:
    """Answers each question as it was answered; asked once more, as the last time."""

    calls: list[Call]
    played: list[Argv] = field(default_factory=list)

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,  # noqa: ARG002 - what is played depends on
        timeout: timedelta | None = None,  # noqa: ARG002 - the question only
    ) -> Completed:
        calls = [call for call in self.calls if timeless(call.argv) == timeless(argv)]
        assert calls, f"never recorded: {argv}"
        times = sum(timeless(each) == timeless(argv) for each in self.played)
        self.played.append(argv)
        return renewed(calls[min(times, len(calls) - 1)], stdin)

    def stream(
        self,
        argv: Argv,
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        completed = self.run(argv, environ=environ, timeout=timeout)
        yield from completed.out.removesuffix("\n").split("\n") if completed.out else ()
        believe(Completed(completed.code, "", completed.err))


def renewed(call: Call, stdin: str) -> Completed:
    """Return what was said, with the mark that is drawn for one question alone as it is today."""
    then, today = (DRAWN.search(asked) for asked in (call.stdin, stdin))
    if then is None or today is None:
        return call.completed
    return replace(call.completed, out=call.completed.out.replace(then[0], today[0]))


def timeless(argv: Argv) -> Argv:
    return tuple(re.sub(r"uts\d+", "uts", word) for word in argv)
