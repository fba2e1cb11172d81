"""An app: whoever holds its token starts jobs of its own users through the gateway. Pure.

Its tokens are tokens as all others are, and open this app alone.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class App:
    """`cross_user`: each user of the app may see, start and stop the jobs of all its users."""

    id: str
    name: str
    made: datetime
    cross_user: bool = False


class Apps(Protocol):
    """Where apps are kept; each may raise `StateError`."""

    def all(self) -> tuple[App, ...]:
        """Return them, the oldest first."""
        ...

    def find(self, app_id: str) -> App | None: ...

    def put(self, app: App) -> None:
        """Keep it, in the place of one with its id."""
        ...

    def drop(self, app_id: str) -> bool:
        """Forget one that has no jobs; whether there was such an app."""
        ...


def uuid_of(text: str) -> str | None:
    """Read a UUID however it is written; None where it is none."""
    if re.fullmatch(r"[0-9A-Fa-f-]{32,36}", text) is None:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None


def is_app_name(text: str) -> bool:
    """Whether it is a line that can be shown; it may be empty."""
    return len(text) <= _LONGEST_NAME and (not text or text.isprintable())
