"""The audit log: one durable JSON line for each change outside, in the order of the changes.

A line that cannot be written is kept and written later, before anything else is changed:
`ensure_writable` refuses the next cycle until the log is complete again and has room for more.
"""

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from waldur_slurm.errors import StateError
from waldur_slurm.model.counting import counted
from waldur_slurm.telemetry.events import Event
from waldur_slurm.telemetry.lines import as_json, stamp
from waldur_slurm.telemetry.redaction import Redaction

_A_CYCLES_LINES = 64 * 1024
"""So many bytes are wanted before a cycle begins."""


class AuditLog:
    """A sink that takes the events that changed something."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime],
        redact: Redaction,
        *,
        makes_directory: bool = False,
    ) -> None:
        self._path = path
        self._makes_directory = makes_directory
        self._now = now
        self._redact = redact
        self._unwritten: list[bytes] = []
        self._is_torn = False
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        if not event.is_change:
            return
        record = {"at": stamp(self._now()), "event": event.name, "fields": event.fields}
        line = as_json(record, self._redact).encode() + b"\n"
        with self._lock:
            self._unwritten.append(line)
            # The change is made already; `ensure_writable` stops the next one.
            with contextlib.suppress(OSError):
                self._write_all()

    def ensure_writable(self) -> None:
        """Raise `StateError` unless it holds every change so far, with room for a cycle's."""
        self._demand(room=_A_CYCLES_LINES)

    def ensure_complete(self) -> None:
        """Raise `StateError` unless the log holds every change so far."""
        self._demand(room=0)

    def _demand(self, room: int) -> None:
        try:
            with self._lock:
                self._write_all()
                self._demand_room(room)
        except OSError as error:
            raise StateError(
                f"cannot write the audit log {self._path}: {error.strerror};"
                f" {counted(len(self._unwritten), 'change is', 'changes are')} not in it yet"
            ) from error

    def _demand_room(self, size: int) -> None:
        """Raise unless so many bytes are left for the log; a device has no end."""
        if self._path.is_file():
            disk = os.statvfs(self._path)
            blocks = disk.f_bavail if os.geteuid() else disk.f_bfree
            if blocks * disk.f_frsize < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _write_all(self) -> None:
        if self._makes_directory:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while self._unwritten:
                self._write_line(file, self._unwritten[0])
                del self._unwritten[0]
        finally:
            os.close(file)

    def _write_line(self, file: int, line: bytes) -> None:
        """Write one line; after half a line the next begins on a line of its own."""
        whole = b"\n" + line if self._is_torn else line
        written = os.write(file, whole)
        self._is_torn = written != len(whole)
        if self._is_torn:
            raise OSError(errno.ENOSPC, "only a part of a line could be written")
        os.fsync(file)
