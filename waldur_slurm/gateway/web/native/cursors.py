"""Where the next page begins, as a text that only whoever was given it can use.

It is signed for what its bearer may see and for what he asked: another's, or one that was made up,
is none. It holds no secret.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from waldur_slurm.gateway.errors import WrongAsk

T = TypeVar("T")

_SIGNATURE = 16


def write_cursor(key: str, about: str, place: Any) -> str:
    """`about` says what was asked, and by whom; `place` is what JSON can hold."""
    body = msgspec.json.encode(place)
    return urlsafe_b64encode(_signature(key, about, body) + body).decode().rstrip("=")


def read_cursor(key: str, about: str, text: str) -> Any:
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature, body = whole[:_SIGNATURE], whole[_SIGNATURE:]
        if hmac.compare_digest(signature, _signature(key, about, body)):
            return msgspec.json.decode(body)
    except ValueError:
        pass
    raise WrongAsk("cursor: it is none of this list; ask for the first page again, without one")


def cut_page(
    found: Sequence[tuple[int, T]], limit: int, key: str, about: str
) -> tuple[Sequence[T], str | None]:
    """Keep the first of what was found with its numbers; None: there was no more than that.

    One more than the limit has to be asked for: that one tells that there is a next page.
    """
    page = found[:limit]
    following = write_cursor(key, about, page[-1][0]) if len(found) > len(page) else None
    return [each for _, each in page], following


def _signature(key: str, about: str, body: bytes) -> bytes:
    message = about.encode() + b"\0" + body
    return hmac.digest(key.encode(), message, sha256)[:_SIGNATURE]
