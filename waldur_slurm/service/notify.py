"""What systemd is told of the daemon: ready, what it does, and that it is alive.

One datagram each, as sd_notify(3) describes; without a socket nothing is sent.
"""

import contextlib
import socket
import time
from collections.abc import Callable
from datetime import timedelta

from waldur_slurm.telemetry.lines import visible
from waldur_slurm.telemetry.redaction import Redaction

_LOOK_AROUND_S = 60.0
_LONGEST_STATUS = 300
"""`systemctl status` shows one line, and a datagram that is too large is lost."""


class Notifier:
    """Speaks to the service manager; a manager that does not listen changes nothing."""

    def __init__(
        self,
        address: str = "",
        watchdog: timedelta | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        redact: Redaction = str,
    ) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._monotonic = monotonic
        self._redact = redact
        self._silence = watchdog.total_seconds() / 4 if watchdog else float("inf")
        self._last_sign = float("-inf")
        self._last_alive = monotonic()

    @property
    def longest_sleep(self) -> timedelta:
        """How long the daemon may wait before it looks around and gives a sign of life."""
        return timedelta(seconds=min(self._silence, _LOOK_AROUND_S))

    @property
    def quiet_for(self) -> timedelta:
        """How long ago the last sign of life was."""
        return timedelta(seconds=self._monotonic() - self._last_alive)

    def ready(self) -> None:
        self._send("READY=1")

    def reloading(self) -> None:
        # systemd wants to know when, so that it can tell a reload from the one before.
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        shown = visible(" ".join(self._redact(text).split()))
        self._send(f"STATUS={shown[:_LONGEST_STATUS]}")

    def alive(self) -> None:
        """Give a sign of life; cheap enough to be called after every command and request."""
        now = self._last_alive = self._monotonic()
        if now - self._last_sign >= self._silence:
            self._last_sign = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.settimeout(1.0)
            sender.sendto(message.encode(), self._address)
