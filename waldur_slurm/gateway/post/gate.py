"""Holds what is asked of the post to what is allowed: when it is asked, and before it is sent.

Between the two an administrator may have changed his mind. How many letters somebody may have is
counted from when the gateway started: a new one begins with a whole hour's.
"""

import time
from collections.abc import Callable, Mapping
from threading import Lock

from waldur_slurm.gateway.doors.paces import Bucket, Pace, take
from waldur_slurm.gateway.errors import LetterDenied, TooFast, WrongAsk
from waldur_slurm.gateway.post.allowed import Rules, check_methods, hourly
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion
from waldur_slurm.gateway.post.port import Later, Never

AN_HOUR_S = 3600


class Gate:
    def __init__(self, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self.rules = rules
        self._asked = _Counted(rules, clock)
        self._sent = _Counted(rules, clock)

    def let_ask(self, owner: str, methods: Mapping[Method, Mapping[str, str]]) -> None:
        """Let somebody ask for letters, each of them one.

        Raises `WrongAsk` for what nobody could be sent, `LetterDenied`, or `TooFast`.
        """
        complaints = check_methods(self.rules, owner, methods)
        if complaints:
            is_malformed = any(each.is_malformed for each in complaints)
            words = "; ".join(f"{each.method}: {each.why}" for each in complaints)
            raise WrongAsk(words) if is_malformed else LetterDenied(words)
        for _ in methods:
            wait_s = self._asked.wait_s(owner)
            if wait_s:
                most = hourly(self.rules, owner)
                raise TooFast(f"more than {most} letters an hour were asked for by {owner}", wait_s)

    def stopped(self, letter: Letter) -> Never | Later | None:
        """Say why a letter is not sent now; None: it is. One that an admin tries always is."""
        if letter.event is Occasion.TRIAL:
            return None
        complaints = check_methods(self.rules, letter.owner, {letter.method: letter.parameters})
        if complaints:
            return Never(complaints[0].why)
        wait_s = self._sent.wait_s(letter.owner)
        if wait_s:
            most = hourly(self.rules, letter.owner)
            return Later(f"{letter.owner} has had the {most} letters of an hour", wait_s)
        return None


class _Counted:
    """How many each has had; whoever has had none for an hour is forgotten."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, Bucket] = {}

    def wait_s(self, owner: str) -> float:
        """Take one; 0 where there was one to take, otherwise how long until there is."""
        now, most = self._clock(), hourly(self._rules, owner)
        if not most:
            return AN_HOUR_S
        with self._lock:
            self._forget(now)
            bucket = self._buckets.get(owner)
            bucket, wait_s = take(Pace(most, most / AN_HOUR_S), bucket, now)
            self._buckets[owner] = bucket
            return wait_s

    def _forget(self, now: float) -> None:
        if len(self._buckets) > 1000:
            kept = self._buckets.items()
            self._buckets = {who: each for who, each in kept if now - each.at < AN_HOUR_S}
