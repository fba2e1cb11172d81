"""One account of one login host: the journal in its home, and commands that are guarded by it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from waldur_slurm.errors import CannotStart, ExpectedError, TransportError
from waldur_slurm.operator.ways.entries import (
    CHANGE,
    NOT_DONE,
    OPEN,
    OURS,
    READ,
    STANDS,
    SUBMIT,
    TAIL,
    TIDY,
    Entry,
    name_of,
    parse_entry,
)
from waldur_slurm.processes.port import Argv, Completed, Transport

PATIENCE_S = 15
"""How long the lock is waited for."""

KEPT_DAYS = 40
ITS_OWN = "over ssh a job has the variables of its user's login"


class Stands(ExpectedError):
    """Somebody changed the line meanwhile; nothing was done."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What the journal holds of some marks, and when, in seconds by the login host's clock."""

    now: int
    entries: Mapping[str, Entry]


class Login:
    """All of it may raise `TransportError`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self, marks: Collection[str]) -> Noted:
        completed = self._run(READ, stdin="".join(f"{name_of(mark)}\n" for mark in marks))
        now, *lines = completed.out.splitlines()
        entries = [*map(parse_entry, lines)]
        known = {entry.mark: entry for entry in entries if entry is not None}
        if None in entries or not known.keys() <= {*marks}:
            raise TransportError("the journal on the login host has lines that are none of ours")
        return Noted(int(now), known)

    def change(self, mark: str, expected: str, new: str) -> None:
        """Let a line be another one, or none; raises `Stands`."""
        self._run(CHANGE, name_of(mark), str(PATIENCE_S), expected, new)

    def tidy(self) -> None:
        self._run(TIDY, str(KEPT_DAYS))

    def read_tail(self, path: str, size: int) -> bytes:
        return self._run(TAIL, path, str(size)).out.encode()

    def guarded(self, mark: str, expected: str, rest: str) -> "Guarded":
        return Guarded(self._transport, (name_of(mark), str(PATIENCE_S), expected, rest))

    def _run(self, script: str, *words: str, stdin: str = "") -> Completed:
        completed = self._transport.run(("sh", "-c", script, "sh", *words), stdin=stdin)
        if completed.code == STANDS:
            raise Stands("somebody changed it meanwhile")
        if completed.code:
            raise CannotStart(_words(completed))
        return completed


class Plain:
    """`Commands` that are guarded by nothing, for what may be done twice."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed:
        if variables is not None:
            raise CannotStart(ITS_OWN)
        return self._transport.run(argv, stdin=stdin, environ=environ, timeout=timeout)


class Guarded:
    """`Commands` that hand in one job under the lock, after its line was written."""

    def __init__(self, transport: Transport, words: Argv) -> None:
        self._transport = transport
        self._words = words
        self.line = ""
        """What stands in the journal, once it was written."""

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed:
        if variables is not None:
            raise CannotStart(ITS_OWN)
        wrapped = ("sh", "-c", SUBMIT, "sh", *self._words, *argv)
        completed = self._transport.run(wrapped, stdin=stdin, environ=environ, timeout=timeout)
        before, opened, after = completed.err.partition(f"{OURS}{OPEN} ")
        if opened:
            rest, _, said = after.partition("\n")
            self.line = f"{OPEN} {rest}"
            return replace(completed, err=before + said)
        if completed.code == STANDS:
            raise Stands("somebody hands it in already")
        raise CannotStart(_words(completed))


def _words(completed: Completed) -> str:
    """Prefer what our own lines say."""
    lines = completed.err.splitlines()
    own = [line.removeprefix(OURS) for line in lines if line.startswith(OURS)]
    said = own[-1] if own else completed.err.strip()[:300]
    code = "" if completed.code == NOT_DONE else f" (exit code {completed.code})"
    return f"on the login host: {said or 'no word'}{code}"
