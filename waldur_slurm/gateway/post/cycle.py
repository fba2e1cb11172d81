"""The postman: looks for letters that are due and sends each from a thread of its own.

A sink that is slow or dead holds up its own letters alone. A letter is claimed before it is sent
and noted after: a gateway that is killed between the two sends it again, and loses none.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Condition, Thread
from threading import Event as Bell

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.beside import LEAVES_IN_S, beside
from waldur_slurm.gateway.post.letter import Letter, Method, Sink, Stage
from waldur_slurm.gateway.post.plan import LEASE, after, due
from waldur_slurm.gateway.post.port import Delivered, Later, Letters, Never, Outcome, Sender
from waldur_slurm.telemetry.events import Event, Level
from waldur_slurm.telemetry.events import Sink as Teller
from waldur_slurm.telemetry.redaction import Redaction

LOOKS_EVERY_S = 1.0
FORGETS_EVERY = timedelta(hours=1)
UNTIL_KNOWN = timedelta(seconds=3)
"""How long a letter waits until it is asked again what its job used."""
KEPT_FOR = timedelta(days=14)


def now_utc() -> datetime:
    return datetime.now(UTC)


class Postman:
    def __init__(
        self,
        letters: Letters,
        senders: Mapping[Method, Sender],
        tell: Teller,
        *,
        stopped: Callable[[Letter], Never | Later | None] = lambda _letter: None,
        measured: Callable[[Letter, datetime], Letter | None] = lambda letter, _now: letter,
        redact: Redaction = str,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._letters = letters
        self._senders = senders
        self._tell = tell
        self._stopped = stopped
        self._measured = measured
        self._redact = redact
        self._clock = clock
        self._busy: set[Sink] = set()
        self._troubled: set[Sink] = set()
        self._changed = Condition()
        self._bell = Bell()
        self._is_leaving = False
        self._is_store_silent = False
        self._forgot: datetime | None = None

    @property
    def senders(self) -> Mapping[Method, Sender]:
        """Return the ways that there are."""
        return self._senders

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            with beside("post", self._run, self._leave):
                yield
        finally:
            self.wait_idle(LEAVES_IN_S)

    def _leave(self) -> None:
        self._is_leaving = True
        self._bell.set()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being sent."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout_s)

    def _run(self) -> None:
        while not self._is_leaving:
            self.begin_due()
            self._bell.wait(LOOKS_EVERY_S)
            self._bell.clear()

    def begin_due(self) -> None:
        """Begin to send what is due; the sending itself goes on beside."""
        now = self._clock()
        try:
            heads = self._letters.heads(now)
            self._forget(now)
        except ExpectedError as error:
            self._note_silence(str(error))
            return
        except Exception:  # noqa: BLE001 - a defect must not end the post for good
            self._note_crash()
            return
        if not heads:
            self._is_store_silent = False
        with self._changed:
            begun = [*due(heads, now, self._busy)]
            self._busy.update(letter.sink for letter in begun)
        for letter in begun:
            name = f"post-{letter.method}"
            Thread(target=self._post, args=[letter], name=name, daemon=True).start()

    def _post(self, letter: Letter) -> None:
        """The next one follows at once; but where nothing can be written, not before it is time."""
        is_noted = False
        try:
            now = self._clock()
            if self._letters.claim(letter, now, now + LEASE):
                self._post_whole(letter, now)
                is_noted, self._is_store_silent = True, False
        except ExpectedError as error:
            self._note_silence(str(error))
        finally:
            with self._changed:
                self._busy.discard(letter.sink)
                self._changed.notify_all()
            if is_noted:
                self._bell.set()

    def _post_whole(self, letter: Letter, now: datetime) -> None:
        """Post it with all that can be known, or let it wait for that, which is no try."""
        try:
            whole = self._measured(letter, now)
        except Exception:  # noqa: BLE001 - a defect must neither lose a letter nor end the post
            self._note_crash()
            whole = letter
        if whole is None:
            self._letters.note(replace(letter, next_try=now + UNTIL_KNOWN))
        else:
            self.post(whole)

    def post(self, letter: Letter) -> Letter:
        """Send a letter that nobody else sends, and note what became of it."""
        posted = after(letter, self._redacted(self._send(letter)), self._clock())
        self._letters.note(posted)
        self._say(posted)
        return posted

    def _send(self, letter: Letter) -> Outcome:
        sender = self._senders.get(letter.method)
        if sender is None:
            return Later(f"the gateway is not set up for {letter.method}; see its settings")
        try:
            return self._stopped(letter) or sender.send(letter)
        except Exception:  # noqa: BLE001 - a defect must neither lose a letter nor end the post
            self._note_crash()
            return Later("a defect of the gateway's; its log has more")

    def _redacted(self, outcome: Outcome) -> Outcome:
        """Whoever has a letter is told why it waits: a sink may repeat what it was shown."""
        if isinstance(outcome, Delivered):
            return outcome
        return replace(outcome, why=self._redact(outcome.why))

    def _say(self, posted: Letter) -> None:
        """Say once of a sink that it takes nothing, until it takes something again."""
        fields: dict[str, object] = {
            "message_id": posted.message_id,
            "monitor": posted.monitor,
            "event": posted.event,
            "method": posted.method,
        }
        if posted.stage is Stage.DELIVERED:
            self._troubled.discard(posted.sink)
            self._tell(Event(name="letter.delivered", fields=fields))
            return
        fields["why"] = posted.last_words
        if posted.stage is Stage.DEAD:
            self._tell(Event(name="letter.dead", level=Level.ERROR, fields=fields))
        elif posted.sink not in self._troubled:
            self._troubled.add(posted.sink)
            fields["next_try"] = posted.next_try
            self._tell(Event(name="letter.later", level=Level.WARNING, fields=fields))

    def _forget(self, now: datetime) -> None:
        if self._forgot is None or now - self._forgot >= FORGETS_EVERY:
            self._letters.forget(now - KEPT_FOR)
            self._forgot = now

    def _note_crash(self) -> None:
        fields = {"traceback": traceback.format_exc()}
        self._tell(Event(name="letter.crashed", level=Level.ERROR, fields=fields))

    def _note_silence(self, error: str) -> None:
        if not self._is_store_silent:
            self._is_store_silent = True
            fields = {"error": error}
            self._tell(Event(name="letter.unwritten", level=Level.WARNING, fields=fields))
