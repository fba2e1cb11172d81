"""Keeps one picture for all who ask: one reading at a time, whoever and however many they are.

It waits for nothing and starts nothing itself. `look` says what to show, what to wait for, and
whether whoever asked is the one to take the new picture, where he may block: `Flight.take`.
"""

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from threading import Lock
from typing import Generic, TypeVar

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.freshness import (
    Answer,
    Readings,
    Verdict,
    is_past_patience,
    judge,
    patience_s,
)
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.telemetry.events import Event, Level, Sink

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Seen(Generic[Value_co]):
    """A picture as somebody is shown it; `silence` are Slurm's words where it does not answer."""

    picture: Picture[Value_co]
    age_s: float
    silence: str = ""


class Flight(Generic[Value]):
    """One reading under way: all who ask meanwhile wait for its end, and one takes it."""

    def __init__(self, keeper: "Keeper[Value]") -> None:
        self.landed: Future[None] = Future()
        self._keeper = keeper

    def take(self) -> None:
        """Read; blocks. It never raises: what went wrong is what the next look says."""
        try:
            self._keeper.renew()
        finally:
            self._land()

    def drop(self, why: str) -> None:
        """Nobody can take it: whoever waits is told why. One that has landed has its answer."""
        if self.landed.done():
            return
        self._keeper.note_silence(why)
        self._land()

    def _land(self) -> None:
        self._keeper.clear(self)
        if not self.landed.done():
            self.landed.set_result(None)


@dataclass(frozen=True, slots=True)
class Look(Generic[Value]):
    """What to show, why there is nothing to show, or what to await before the next look.

    `to_take`: a flight which whoever looked has to see taken, whatever he is answered.
    """

    answer: Seen[Value] | NotNow | Future[None]
    to_take: Flight[Value] | None


class Keeper(Generic[Value]):
    """One thing's picture. `read` may block; it raises an `ExpectedError` where Slurm is silent."""

    def __init__(
        self,
        thing: str,
        read: Callable[[], Value],
        ttl_s: float,
        tell: Sink,
        *,
        on_new: Callable[[Picture[Value] | None, Picture[Value]], None] | None = None,
        asks_accounting: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.thing = thing
        self.ttl_s = ttl_s
        self.asks_accounting = asks_accounting
        self._read = read
        self._tell = tell
        self._on_new = on_new
        self._clock = clock
        self._lock = Lock()
        self._known = Readings()
        self._picture: Picture[Value] | None = None
        self._flight: Flight[Value] | None = None
        self._silence = ""
        self._readings = 0
        self._changes = 0

    @property
    def last(self) -> Picture[Value] | None:
        """The last picture, however old."""
        return self._picture

    @property
    def readings(self) -> int:
        """How often Slurm was asked."""
        return self._readings

    @property
    def silence(self) -> str:
        """Why there is no newer picture; empty while Slurm answers."""
        return self._silence

    @property
    def patience_s(self) -> float:
        """How long to await a flight before looking again."""
        return patience_s(self._known.took_s)

    @property
    def now(self) -> float:
        return self._clock()

    def look(self, *, younger_than: float = 0.0, asked: float = inf) -> Look[Value]:
        """Say what there is; only a picture begun after `younger_than` (monotonic) will do.

        `asked` is when whoever looks again did so first.
        """
        with self._lock:
            now = self._clock()
            verdict = judge(now, self.ttl_s, self._known, asked)
            answer, is_due = verdict.answer, verdict.is_renewal_due
            silence = self._silence_at(now)
            if answer is Answer.SHOW and not self._is_younger_than(younger_than):
                answer = Answer.REFUSE if silence else Answer.WAIT
                is_due = is_due or answer is Answer.WAIT
            to_take = Flight(self) if is_due and self._flight is None else None
            if to_take:
                self._flight = to_take
                self._known = replace(self._known, flying_since=now)
            return Look(self._answer(answer, verdict, silence), to_take)

    def _answer(
        self, answer: Answer, verdict: Verdict, silence: str
    ) -> Seen[Value] | NotNow | Future[None]:
        if answer is Answer.SHOW and self._picture:
            age = self._clock() - self._picture.began
            return Seen(self._picture, age, silence)
        if answer is Answer.WAIT and self._flight:
            return self._flight.landed
        words = f"Slurm does not tell of {self.thing}: {silence}"
        return NotNow(words, max(verdict.again_after_s, 1.0))

    def _silence_at(self, now: float) -> str:
        if self._silence or not is_past_patience(now, self._known):
            return self._silence
        return f"no answer for {now - (self._known.flying_since or now):.0f} s"

    def fresh(self) -> Value:
        """Return what Slurm says now; blocks. Raises `NotNow` where it does not answer."""
        seen = self.shown()
        if seen.silence:
            raise NotNow(f"Slurm does not tell of {self.thing}: {seen.silence}")
        return seen.picture.value

    def shown(self, *, younger_than: float = 0.0) -> Seen[Value]:
        """Return what whoever looks is shown; blocks. Raises `NotNow` where there is nothing."""
        asked = self.now
        while True:
            look = self.look(younger_than=younger_than, asked=asked)
            if look.to_take:
                look.to_take.take()
            match look.answer:
                case Seen():
                    return look.answer
                case NotNow():
                    raise look.answer
                case landed:
                    wait([landed], timeout=self.patience_s)

    def forget(self) -> None:
        """Let nobody be shown the picture again as fresh: something was changed.

        Nor one that is being taken: what it will show is from before or after.
        """
        with self._lock:
            self._changes += 1
            self._known = replace(self._known, is_outdated=True)

    def _is_younger_than(self, moment: float) -> bool:
        return self._picture is not None and self._picture.began > moment

    def renew(self) -> None:
        """Take a new picture; for `Flight` alone."""
        began, as_of, changes = self._clock(), datetime.now(UTC), self._changes
        try:
            value = self._read()
        except ExpectedError as error:
            self.note_silence(str(error))
        except Exception as error:  # noqa: BLE001 - a defect must not let others wait for ever
            self.note_silence(f"a defect of the gateway ({type(error).__name__})")
            self._tell_crash()
        else:
            self._note_picture(began, as_of, value, changes)

    def clear(self, flight: Flight[Value]) -> None:
        """Let the next who needs one begin a flight; for `Flight` alone."""
        with self._lock:
            if self._flight is flight:
                self._flight = None
                self._known = replace(self._known, flying_since=None)

    def note_silence(self, why: str) -> None:
        """Remember that there was no answer; for `Flight` alone."""
        with self._lock:
            now, since = self._clock(), self._known.failing_since
            is_first = since is None
            self._readings += 1
            self._silence = why or "no answer"
            since = now if since is None else since
            self._known = replace(self._known, ended=now, took_s=0.0, failing_since=since)
        if is_first:
            fields = {"thing": self.thing, "error": self._silence}
            self._tell(Event(name="slurm.silent", level=Level.WARNING, fields=fields))

    def _note_picture(self, began: float, as_of: datetime, value: Value, changes: int) -> None:
        """`changes` is how many had been made when the reading began."""
        with self._lock:
            now = self._clock()
            was_silent, before = bool(self._silence), self._picture
            self._readings += 1
            self._silence = ""
            self._known = replace(
                self._known,
                began=began,
                ended=now,
                took_s=now - began,
                failing_since=None,
                is_outdated=changes != self._changes,
            )
            self._picture = after = Picture(
                generation=before.generation + 1 if before else 1,
                began=began,
                as_of=as_of,
                took_s=now - began,
                value=value,
            )
        if was_silent:
            self._tell(Event(name="slurm.answers", fields={"thing": self.thing}))
        if self._on_new:
            try:
                self._on_new(before, after)
            except Exception:  # noqa: BLE001 - a defect of who hears of it takes nobody's picture
                self._tell_crash()

    def _tell_crash(self) -> None:
        fields = {"thing": self.thing, "traceback": traceback.format_exc()}
        self._tell(Event(name="picture.crashed", level=Level.ERROR, fields=fields))
