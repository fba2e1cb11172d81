"""A site's own programs, told of what pull has made: a quota, a welcome, a ticket.

A hook is an executable in `AGENT_HOOK_DIR` named like an event of the audit log. It runs once at
the end of a cycle, after Slurm has confirmed the changes, and reads one JSON line for each. Nothing
waits for what a hook says, and nothing is undone by it; an agent that is killed before the end of
a cycle does not run it for that cycle.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from waldur_slurm.errors import StateError, TransportError
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.telemetry.events import Event, Level, Sink
from waldur_slurm.telemetry.lines import as_json

HOOKED = ("account.added", "user.added")

# Both together end within the time that systemd gives the agent to stop.
LONGEST = timedelta(seconds=20)
MOST_OUTPUT = 64 * 1024


class Hooks:
    """A sink that keeps what hooks are to hear of until `run`."""

    def __init__(
        self,
        directory: Path,
        environ: Mapping[str, str],
        tell: Sink,
        *,
        longest: timedelta = LONGEST,
    ) -> None:
        self._directory = directory
        self._transport = NativeTransport(environ, timeout=longest, most_output=MOST_OUTPUT)
        self._tell = tell
        self._unheard: dict[str, list[str]] = defaultdict(list)

    def __call__(self, event: Event) -> None:
        if event.name in HOOKED:
            self._unheard[event.name].append(as_json({"event": event.name, **event.fields}))

    def run(self) -> None:
        """Let each hook hear of what was done since the last time, all of it at once."""
        while self._unheard:
            name, lines = self._unheard.popitem()
            try:
                hook = hooks_in(self._directory).get(name)
                if hook is not None:
                    self._let_hear(hook, lines)
            except (StateError, TransportError) as error:
                self._say_failed(name, str(error))

    def _let_hear(self, hook: Path, lines: list[str]) -> None:
        ended = self._transport.run((str(hook),), stdin="".join(f"{line}\n" for line in lines))
        if ended.code:
            self._say_failed(hook.name, f"it exited {ended.code}: {ended.err.strip()}")
        else:
            self._tell(Event(name="hook.ran", fields={"hook": hook.name, "changes": len(lines)}))

    def _say_failed(self, name: str, error: str) -> None:
        fields = {"hook": name, "error": error}
        self._tell(Event(name="hook.failed", level=Level.WARNING, fields=fields))


def hooks_in(directory: Path) -> Mapping[str, Path]:
    """Return the hooks that are there, by event; refuse what others could have put there."""
    try:
        _refuse_strangers(directory)
        found = {path.name: path for path in directory.iterdir() if path.name in HOOKED}
        for path in found.values():
            _refuse_strangers(path)
    except OSError as error:
        raise StateError(f"{error.filename}: {error.strerror}") from error
    for path in found.values():
        if not os.access(path, os.X_OK):
            raise StateError(f"{path} is not executable")
    return found


def _refuse_strangers(path: Path) -> None:
    status = path.stat()
    if status.st_uid not in (0, os.geteuid()):
        raise StateError(f"{path} belongs neither to root nor to the agent's user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StateError(f"others may write to {path}: chmod go-w")
