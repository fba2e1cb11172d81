"""A letter: what one person, channel or program is told of one event of one job. Pure.

It is written down with the event that it tells of, and sent later, as often as it takes. Whoever
gets it twice knows it again by its `message_id`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from waldur_slurm.gateway.past.efficiency import Efficiency

_HOST = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#@]+)", re.IGNORECASE)


class Method(StrEnum):
    """The ways a letter may go."""

    EMAIL = "email"
    GMAIL = "gmail"
    SLACK = "slack"
    RABBITMQ = "rabbitmq"
    APPRISE = "apprise"
    WEBHOOK = "webhook"
    TEST = "test"


_ALSO = {"rabbithq": Method.RABBITMQ}
"""Names that the original's page has for it."""


def method_of(word: str, parameters: Mapping[str, str]) -> tuple[Method, Mapping[str, str]]:
    """Read a way as people write it: `rabbithq` is one, and `apprise:ops` has its target with it.

    Raises `ValueError` for what is no way.
    """
    name, colon, target = word.partition(":")
    if name == Method.APPRISE and colon:
        return Method.APPRISE, {**parameters, "target": target}
    try:
        return Method(_ALSO.get(word, word)), parameters
    except ValueError:
        raise ValueError(f"{word[:40]!a} is none of {', '.join(Method)}") from None


class Occasion(StrEnum):
    """What a letter tells of; `trial` is an admin who tries whether letters arrive."""

    TERMINAL = "terminal"
    STARTED = "started"
    SUSPENDED = "suspended"
    REQUEUED = "requeued"
    VANISHED = "vanished"
    """Whoever waits for the end is told that nobody can say how the job ended."""
    EXPIRED = "expired"
    """Whoever waits for the end is told that it is no longer waited for."""
    TRIAL = "trial"


class Stage(StrEnum):
    """How far a letter is; what is delivered or dead stays so."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the job; None is what is not known, or not yet."""

    cluster: str
    job_id: str
    name: str
    user: str
    state: str
    exit_code: str | None = None
    elapsed_s: int | None = None
    submitted: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    nodes: str = ""
    uuid: str = ""
    """The task's, where the job is one's."""
    efficiency: Efficiency = field(default_factory=Efficiency)
    waits: str = ""
    """Why it waits, and what can be done, where it does."""


class Sink(NamedTuple):
    """Where letters queue up: one that is slow or dead is slow or dead for its own letters."""

    method: Method
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """There is one at most for each monitor, event and method."""

    message_id: str
    monitor: str
    event: Occasion
    method: Method
    parameters: Mapping[str, str]
    made: datetime
    next_try: datetime
    facts: Facts | None = None
    tries: int = 0
    stage: Stage = Stage.WAITING
    owner: str = ""
    """Who asked for it, as `str(principal)` says; nobody did for one that an admin tries."""
    last_words: str = ""
    """Why it is not delivered, as its last try ended."""

    @property
    def sink(self) -> Sink:
        if self.method is Method.WEBHOOK:
            return Sink(self.method, _place_of(self.parameters.get("url", "")))
        if self.method is Method.APPRISE:
            return Sink(self.method, self.parameters.get("target", ""))
        return Sink(self.method)


def _place_of(url: str) -> str:
    match = _HOST.match(url)
    return match[1].lower() if match else ""
