"""What happened, as frozen values; the sinks decide who hears of it.

INFO is a change in Slurm or Waldur, so an idle cycle is silent; WARNING will be tried again;
ERROR needs a person; DEBUG is the transcript.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One record: `name` is a constant such as `account.added`, what varies is a field."""

    name: str
    level: Level = Level.INFO
    fields: Mapping[str, object] = field(default_factory=dict)
    is_change: bool = False
    """Whether something outside was changed by it: such events go to the audit log."""


Sink = Callable[[Event], None]


def to_all(*sinks: Sink) -> Sink:
    """Make one sink of several; each hears every event, in this order."""

    def tell(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return tell
