"""Marks: what a job is found again by, in its comment, and what of a comment its owner wrote. Pure.

A client's mark is a job's whole comment. One of the gateway's own stands before whatever the job's
owner had to say. Marks are visible to all, and may be copied or taken off by the job's owner.
"""

import re
from collections.abc import Container
from typing import NamedTuple

MOST_MARK = 256
PATTERN = rf"[A-Za-z0-9_.:/@+=,~-]{{1,{MOST_MARK}}}"
"""What a client may say: no blank, nothing that a shell or a list of options could take apart."""

OWN = "sgw:"
OWN_LETTERS = 22
"""128 bits and more, in the letters of base64url."""

_CLIENTS = re.compile(PATTERN, re.ASCII)
_OWN = re.compile(rf"({OWN}[A-Za-z0-9_-]{{{OWN_LETTERS}}})(?: (.*))?", re.ASCII | re.DOTALL)


class Marked(NamedTuple):
    """A comment, taken apart: the mark in it, where there may be one, and its owner's words."""

    mark: str | None
    words: str


def is_mark(text: str) -> bool:
    return _CLIENTS.fullmatch(text) is not None


def is_own(mark: str) -> bool:
    """Whether the gateway made it: no two attempts have it, and nobody can guess it."""
    return _OWN.fullmatch(mark) is not None and " " not in mark


def marked(comment: str) -> Marked:
    """Take a comment apart; a word that somebody wrote is a mark as well as any."""
    if not comment:
        return Marked(None, "")
    own = _OWN.fullmatch(comment) if comment.startswith(OWN) else None
    if own:
        return Marked(own[1], own[2] or "")
    return Marked(comment if is_mark(comment) else None, comment)


def comment_of(mark: str, words: str = "") -> str:
    """Write the comment that carries a mark; `words` are the job's owner's."""
    return f"{mark} {words}" if words else mark


def carries(comment: str, mark: str) -> bool:
    """Whether the mark is in it: by itself, or before the owner's words."""
    return mark_among(comment, (mark,)) is not None


def mark_among(comment: str, marks: Container[str]) -> str | None:
    """Return which of these a comment carries; one of several words is a mark as a whole."""
    if comment in marks:
        return comment
    found = marked(comment).mark if comment.startswith(OWN) else None
    return found if found in marks else None
