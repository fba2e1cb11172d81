"""What a process remembers of SlurmJobs from turn to turn, by their uids. Pure.

Nothing hangs on it: without it all is right, and only slower.
"""

from collections.abc import Collection, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

SOON = timedelta(seconds=3)
"""In so much time a change of ours comes back to us, if it was one at all."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job that was handed in, as far as this process knows of it."""

    first: datetime
    last: datetime
    times: int = 1
    is_open: bool = True
    """Whether it is not known what came of it."""
    is_denied: bool = False
    """Whether the operator was not let do it."""


@dataclass(slots=True)
class Memory:
    attempts: dict[str, Attempt] = field(default_factory=dict)
    cancelled: dict[str, datetime] = field(default_factory=dict)
    missing: dict[str, datetime] = field(default_factory=dict)
    """Since when those are not there that were."""
    doubtful: dict[str, datetime] = field(default_factory=dict)
    """Since when nobody can say."""
    written: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """What was last changed in Kubernetes, as of which version, and when."""
    vain: dict[str, int] = field(default_factory=dict)
    """How often in a row Slurm was asked in vain: whoever was less often comes first."""

    def note_attempt(self, uid: str, now: datetime) -> None:
        """Before it is made, so that one which never ends counts as well."""
        before = self.attempts.get(uid)
        if before is None or not before.is_open:
            self.attempts[uid] = Attempt(now, now)
        else:
            self.attempts[uid] = replace(before, last=now, times=before.times + 1)

    def note_outcome(self, uid: str, now: datetime) -> None:
        """It is known what came of it; what was read before then does not know yet."""
        if uid in self.attempts:
            self.attempts[uid] = replace(self.attempts[uid], last=now, is_open=False)

    def note_nothing_done(self, uid: str, before: Attempt | None) -> None:
        """Nothing came of the last attempt; what came of those before it stays open."""
        if before is None:
            self.attempts.pop(uid, None)
        else:
            self.attempts[uid] = before

    def note_denied(self, uid: str, now: datetime) -> None:
        """Nothing came of it, and the next attempt will not be let in so soon either."""
        self.attempts[uid] = Attempt(now, now, is_open=False, is_denied=True)

    def note_written(self, uid: str, version: str, now: datetime) -> None:
        self.written[uid] = version, now

    def is_behind(self, uid: str, version: str, now: datetime) -> bool:
        """Whether that version is of before our own change, of which word is still on its way."""
        before, at = self.written.get(uid, ("", now))
        return before == version and now - at < SOON

    def note_vain(self, uid: str) -> None:
        self.vain[uid] = self.vain.get(uid, 0) + 1

    def forget_others(self, uids: Collection[str]) -> None:
        notes: MutableMapping[str, Any]
        kinds = (self.attempts, self.cancelled, self.missing, self.doubtful)
        for notes in (*kinds, self.written, self.vain):
            for uid in notes.keys() - set(uids):
                notes.pop(uid)


def note_since(notes: dict[str, datetime], uid: str, now: datetime, *, holds: bool) -> None:
    """Keep since when something holds; what does not hold any more is forgotten."""
    if holds:
        notes.setdefault(uid, now)
    else:
        notes.pop(uid, None)
