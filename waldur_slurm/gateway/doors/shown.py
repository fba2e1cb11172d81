"""What a request shows of whoever asks. Pure; nothing of it is believed yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from waldur_slurm.model.names import UserName


class Place(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


class Owner(NamedTuple):
    """Whose the other end is; `user` only where he is somebody who may run jobs."""

    uid: int
    user: UserName | None


NO_OWNER = Owner(-1, None)
"""The system does not say whose it is."""


@dataclass(slots=True, eq=False)
class Connection:
    """One connection, while it lasts; all its requests share what was found out about it.

    That must never outlive it: the next one from the same port may be somebody else's.
    """

    peer: Place | None = None
    """Who connected: a proxy, where there is one."""
    listener: Place | None = None
    """Which of the gateway's addresses was connected to."""
    owner: Owner | None = None
    """None: nobody has looked yet."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Headers that may come several times are here with all their values."""

    authorization: Sequence[str] = ()
    app_token: Sequence[str] = ()
    """The header `X-Auth-Token` of the first original's clients."""
    session: str = ""
    """What the cookie of a session holds; left out where a page of ours cannot have asked."""
    host: str = ""
    origin: Sequence[str] = ()
    is_of_any_page: bool = False
    """A page reads what any page may: it asks in nobody's name, whoever looks at it."""
    is_forwarded: bool = False
    """Some header says that somebody stands between."""
    forwarded_for: Sequence[str] = ()
    connection: Connection = field(default_factory=Connection)
    at: float = 0.0
    """When the request came, by the monotonic clock."""
    is_again: bool = False
    """Looked at once more, as a stream does that lasts; it was counted when it began."""
