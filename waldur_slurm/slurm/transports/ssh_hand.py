"""The hand on another host, by OpenSSH: one login user there, and nobody else is acted as.

It is the user's own hand, as by `self`; sshd has made it him. A conversation whose end did not come
may have been obeyed or not, as everywhere: nothing is sent twice. One that could not begin, because
no connection stands, was not. What is typed there is the same each time, so that the key can be
bound to it in `authorized_keys`; then it opens nothing but the hand.
"""

import shlex
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from waldur_slurm.errors import CannotStart, NotPermitted, TransportError
from waldur_slurm.processes.child import Child, Ended
from waldur_slurm.slurm.transports.hands import Heard
from waldur_slurm.slurm.transports.ssh import GRACE, MAX_SESSIONS, refuse_misspelt
from waldur_slurm.slurm.transports.ssh_master import (
    ENVIRON,
    HostKey,
    KeyFile,
    KeyText,
    KnownHosts,
    Master,
)
from waldur_slurm.slurm.transports.ssh_words import Route

MARK = "slurm-gateway-hand:"
"""What comes before it was said by login scripts."""

_MOST_NOISE = 65_536


class SshHand:
    """The hand at `program` on `host`, bounded by its `conf` there; one connection for all."""

    def __init__(
        self,
        host: str,
        *,
        user: str,
        port: int = 22,
        host_keys: KnownHosts | HostKey,
        key: KeyFile | KeyText,
        program: Path,
        conf: Path,
        patience: timedelta = GRACE,
        most_at_once: int = MAX_SESSIONS,
    ) -> None:
        refuse_misspelt(host, user, port)
        known = str(host_keys.path) if isinstance(host_keys, KnownHosts) else ""
        self._route = Route(host, port, user, known, str(key))
        self._master = Master(self._route, host_keys, key, patience=patience)
        self._typed = typed(program, conf)
        self._sessions = threading.BoundedSemaphore(most_at_once)

    def close(self) -> None:
        """End the connection and forget its files; the next conversation connects anew."""
        self._master.close()

    def open(self, user: str, sent: Iterable[bytes], silence: timedelta) -> Heard:
        if user != self._route.user:
            raise NotPermitted(
                f"over ssh this gateway is {self._route.user} on {self._route.host}, and acts as"
                " nobody else"
            )
        return self._heard(sent, silence)

    def _heard(self, sent: Iterable[bytes], silence: timedelta) -> Heard:
        with self._session(silence):
            prefix = self._ready()
            child = Child(
                (*prefix, self._typed),
                stdin=sent,
                environ=ENVIRON,
                timeout=silence,
                may_go_on=True,
            )
            events = (event for event in child.events() if not isinstance(event, Ended))
            yield from _behind(MARK.encode(), events)

    def _ready(self) -> tuple[str, ...]:
        try:
            return self._master.ready()
        except TransportError as error:
            raise CannotStart(f"the hand was not reached: {error}") from error

    @contextmanager
    def _session(self, patience: timedelta) -> Iterator[None]:
        """Wait for one of the sessions that sshd gives over one connection."""
        if not self._sessions.acquire(timeout=patience.total_seconds()):
            raise CannotStart(
                f"the hand on {self._route.host} had too much to do for"
                f" {patience.total_seconds():g} s, and was not asked"
            )
        try:
            yield
        finally:
            self._sessions.release()


def typed(program: Path, conf: Path) -> str:
    """Return what every login shell understands; whoever looks at it there learns no secret."""
    hand = shlex.join((str(program), "self", str(conf)))
    return f"exec /bin/sh -c {shlex.quote(f'printf {MARK}; exec {hand}')}"


def _behind(mark: bytes, events: Iterable[tuple[bool, bytes]]) -> Heard:
    """Take for a complaint what login scripts say: the conversation begins behind the mark."""
    before, has_begun = b"", False
    for is_out, data in events:
        if has_begun or not is_out:
            yield is_out, data
            continue
        before, found, after = (before + data).partition(mark)
        before = before[-_MOST_NOISE:]
        if found:
            has_begun = True
            yield False, before
            yield True, after
    if not has_begun:
        yield False, before
