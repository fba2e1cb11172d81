"""What a request shows of whoever asks. Pure; nothing of it is believed yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Headers that may come several times are here with all their values."""

    authorization: Sequence[str] = ()
    app_token: Sequence[str] = ()
    """The header `X-Auth-Token` of the first original's clients."""
    host: str = ""
    origin: str = ""
    is_forwarded: bool = False
    peer: Place | None = None
    """Who connected: a proxy, where there is one."""
    listener: Place | None = None
    """Which of the gateway's addresses was connected to."""
