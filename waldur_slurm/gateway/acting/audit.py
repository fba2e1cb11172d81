"""Acts in somebody's name, written down: who, as whom, what, which request, how it ended.

An act that would not be written down is not done. What only looks is no act.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from waldur_slurm.errors import ExpectedError, StateError
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.errors import GatewayError, NotNow, OutcomeUnknown
from waldur_slurm.model.names import UserName
from waldur_slurm.telemetry.events import Event, Level, Sink


class Book(Protocol):
    """Where acts are written down."""

    def ensure_writable(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks for acts, and by which request."""

    principal: Principal
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`what` is a constant such as `job.cancel`; `about` what it is done to, and how."""

    caller: Caller
    user: UserName
    what: str
    about: Mapping[str, object] = field(default_factory=dict)


class Audit:
    """Writes each act down once it ended, however it did."""

    def __init__(self, book: Book | None, tell: Sink) -> None:
        self._book = book
        self._tell = tell

    @contextmanager
    def doing(self, act: Act) -> Iterator[dict[str, object]]:
        """Refuse an act that could not be written down; what is put into the dict is added."""
        self._ensure_writable()
        learned: dict[str, object] = {}
        try:
            yield learned
        except BaseException as error:
            self._note(act, learned, _ended(error))
            raise
        self._note(act, learned, "done")

    def _ensure_writable(self) -> None:
        if self._book is None:
            return
        try:
            self._book.ensure_writable()
        except StateError as error:
            fields = {"error": str(error)}
            self._tell(Event(name="audit.failed", level=Level.ERROR, fields=fields))
            raise NotNow(
                "nothing is done that cannot be written down; see the gateway's log"
            ) from (error)

    def _note(self, act: Act, learned: Mapping[str, object], ended: str) -> None:
        fields = {
            "who": str(act.caller.principal),
            "user": act.user,
            "request_id": act.caller.request_id,
            **act.about,
            **learned,
            "ended": ended,
        }
        self._tell(Event(name=act.what, fields=fields, is_change=True))


def _ended(error: BaseException) -> str:
    if isinstance(error, OutcomeUnknown):
        return f"unknown: {error}"
    if isinstance(error, GatewayError | ExpectedError):
        return f"not done: {error}"
    return f"unknown: {type(error).__name__}"
