"""Why a request had no answer, in the few words of what happened and not of the library. Pure."""

import re

_NOISE = re.compile(r"\[Errno -?\d+\] |^[A-Z_]+\] | \(_ssl\.c:\d+")
"""Numbers and names of libraries."""


def cause_of(error: Exception) -> str:
    """Return the last words of what is told at length."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    words = _NOISE.sub("", str(reason or error).rpartition(": ")[2]).strip("'\")> ")
    return words or type(error).__name__
