"""What an epilog says: that a job ends, signed, and not long ago. Pure.

A signature is over the time and the body. What was said within the last minutes is not taken again;
and all that anybody could gain by it is that a job is looked at.
"""

import hmac
from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import sha256

WITHIN = timedelta(minutes=5)
"""How far the clocks of two hosts may be apart: munge bears no more."""

MOST_KEPT = 10_000


def signature(secret: str, time: str, body: bytes) -> str:
    """Return what `printf '%s.%s' TIME BODY | openssl dgst -sha256 -hmac SECRET` prints."""
    return hmac.new(secret.encode(), time.encode() + b"." + body, sha256).hexdigest()


def is_signed(secret: str, time: str, body: bytes, found: str) -> bool:
    return hmac.compare_digest(signature(secret, time, body).encode(), found.lower().encode())


def is_recent(time: str, now: datetime) -> bool:
    """Whether it was said just now; `time` is in seconds since 1970."""
    if not time.isdecimal() or not time.isascii() or len(time) > 12:
        return False
    return abs(now.timestamp() - int(time)) <= WITHIN.total_seconds()


class Replays:
    """Signatures of the last minutes; the oldest are forgotten where there are too many."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, float] = OrderedDict()

    def is_new(self, found: str, now: datetime) -> bool:
        """Say so once of each."""
        at = now.timestamp()
        oldest = at - 2 * WITHIN.total_seconds()
        while self._seen and (
            len(self._seen) >= MOST_KEPT or next(iter(self._seen.values())) < oldest
        ):
            self._seen.popitem(last=False)
        if found.lower() in self._seen:
            return False
        self._seen[found.lower()] = at
        return True
