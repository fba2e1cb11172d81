"""The ways to reach the hand (`waldur_slurm.hand`): sudo, the executor, its socket, or as oneself.

All of them carry the same conversation; `spoken` checks it. What has no answer at its end may have
been done or not, which is a `TransportError` and no refusal.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from waldur_slurm.errors import FileFailed, NotPermitted, TransportError
from waldur_slurm.hand import wire
from waldur_slurm.processes.child import Child, Ended
from waldur_slurm.processes.connection import Connection

PROGRAM = Path("/usr/libexec/slurm-gateway/hand")
EXECUTOR = Path("/usr/local/bin/executor")
SOCKET = Path("/run/slurm-gateway/hand.sock")
ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
MOST_COMPLAINT = 4096

Heard = Generator[tuple[bool, bytes], None, None]


class Hand(Protocol):
    """Opens conversations with a hand that acts as `user`, or that is to become him."""

    def open(self, user: str, sent: Iterable[bytes], silence: timedelta) -> Heard:
        """Yield (is the conversation, data); what is not is somebody's complaint on the way.

        The hand is left alone when nothing moved for `silence`, or when nobody reads on.
        """
        ...


class SudoHand:
    """sudo starts the hand as the user, by one line that names its one file."""

    def __init__(self, program: Path = PROGRAM, *, sudo: Path = Path("/usr/bin/sudo")) -> None:
        self._program = str(program)
        self._sudo = str(sudo)

    def open(self, user: str, sent: Iterable[bytes], silence: timedelta) -> Heard:
        argv = (self._sudo, "-n", "-u", user, "--", self._program)
        return _heard(argv, sent, silence)


class SetuidHand:
    """The setuid executor of `executor/` starts the hand as the user, where root has listed it."""

    def __init__(self, program: Path = PROGRAM, *, executor: Path = EXECUTOR) -> None:
        self._program = str(program)
        self._executor = str(executor)

    def open(self, user: str, sent: Iterable[bytes], silence: timedelta) -> Heard:
        argv = (self._executor, "--user", user, "--command", self._program)
        return _heard(argv, sent, silence)


class OwnHand:
    """The hand as whoever we are: nobody is acted as but ourselves."""

    def __init__(self, conf: Path, *, program: Path = PROGRAM) -> None:
        self._argv = (str(program), "self", str(conf))

    def open(
        self,
        user: str,  # noqa: ARG002 - the request names him
        sent: Iterable[bytes],
        silence: timedelta,
    ) -> Heard:
        return _heard(self._argv, sent, silence)


class SocketHand:
    """root's small service behind a socket that only the caller may connect to."""

    def __init__(self, path: Path = SOCKET) -> None:
        self._path = path

    def open(
        self,
        user: str,  # noqa: ARG002 - the request names him
        sent: Iterable[bytes],
        silence: timedelta,
    ) -> Heard:
        return _all_heard(Connection(self._path, sent=sent, timeout=silence))


class Answer(NamedTuple):
    """How a conversation ended; `errno` is the name of the system's error, such as ENOENT."""

    outcome: str
    why: str
    errno: str
    facts: Mapping[str, Any]


class Part(NamedTuple):
    """Something said before the end: `kind` is `wire.DATA`, `wire.SAID` or `wire.FACTS`."""

    kind: bytes
    payload: bytes


def asked(request: Mapping[str, object], body: Iterable[bytes]) -> Iterator[bytes]:
    """Write a request and its body as frames."""
    frame = wire.framed_json(wire.REQUEST, request)
    if len(frame) > wire.MOST_FRAME:
        raise NotPermitted(f"a request has at most {wire.MOST_FRAME} bytes, this has {len(frame)}")
    yield frame
    for data in body:
        for at in range(0, len(data), wire.CHUNK):
            yield wire.framed(wire.DATA, data[at : at + wire.CHUNK])
    yield wire.framed(wire.END)


def spoken(heard: Iterable[tuple[bool, bytes]]) -> Iterator[Part | Answer]:
    """Yield the parts of a conversation and, last and always, its answer."""
    frames = wire.Frames(wire.FACTS + wire.DATA + wire.SAID + wire.END)
    complaint = b""
    try:
        for is_conversation, data in heard:
            if not is_conversation:
                complaint = (complaint + data)[:MOST_COMPLAINT]
                continue
            for kind, payload in frames.cut(data):
                if kind == wire.END:
                    yield _answer(payload)
                    return
                yield Part(kind, payload)
    except wire.BrokenWire as error:
        raise TransportError(f"the hand cannot be understood: {error}") from error
    words = complaint.decode("utf-8", "backslashreplace").strip() or "it ended without a word"
    raise TransportError(f"the hand did not answer: {words}")


def believed(
    hand: Hand,
    request: Mapping[str, object],
    content: Iterable[bytes],
    silence: timedelta,
    about: str,
) -> Iterator[Part | Answer]:
    """Yield what is said; an answer that is not "done" is raised as what it means."""
    with closing(hand.open(str(request["user"]), asked(request, content), silence)) as heard:
        for each in spoken(heard):
            if isinstance(each, Answer) and each.outcome != wire.DONE:
                raise _error(each, about)
            yield each


def _error(answer: Answer, about: str) -> Exception:
    if answer.outcome == wire.REFUSED:
        return NotPermitted(answer.why)
    if answer.errno == "ETIMEDOUT":
        return TransportError(f"{about}: {answer.why}")
    return FileFailed(answer.why, answer.errno)


def whole(said: Mapping[str, Any], key: str) -> int:
    value = said.get(key)
    if not isinstance(value, int):
        raise TransportError(f"the hand cannot be understood: {key} is {str(value)[:80]!r}")
    return value


def _answer(payload: bytes) -> Answer:
    said = spelt(payload)
    facts = said.get("facts")
    outcome, why, errno = (str(said.get(key, "")) for key in ("outcome", "why", "errno"))
    return Answer(outcome, why, errno, facts if isinstance(facts, dict) else {})


def spelt(payload: bytes) -> Mapping[str, Any]:
    """Read one JSON object of the hand's, whose user may have made it say anything."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise TransportError(f"the hand cannot be understood: {error}") from error
    if not isinstance(said, dict):
        raise TransportError("the hand cannot be understood: this is no object")
    return said


def _heard(argv: tuple[str, ...], sent: Iterable[bytes], silence: timedelta) -> Heard:
    child = Child(argv, stdin=sent, environ=ENVIRON, timeout=silence, may_go_on=True)
    for event in child.events():
        if not isinstance(event, Ended):
            yield event


def _all_heard(connection: Connection) -> Heard:
    with closing(connection.received()) as received:
        for data in received:
            yield True, data
