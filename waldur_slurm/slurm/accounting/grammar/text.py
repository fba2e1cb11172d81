"""Free text on its way into Slurm's accounting, where it must come back as it went in. Pure.

Slurm folds text to lower case, turns quotes into backticks, takes `#` for a comment in `load`
files, prints `|` and line breaks bare, and depending on how its database was made stores only
latin1 or three-byte UTF-8, with `?` for the rest. All of that happens here first, so that writing
and reading agree on every site: what is left is one line of printable lower-case ASCII.
"""

import unicodedata

MOST_CHARACTERS = 240
"""Slurm stores thousands; this keeps listings and command lines short."""

_REPLACED = str.maketrans(
    dict.fromkeys("\"'\u2018\u2019\u201c\u201d", "`")
    | dict.fromkeys("|\\", "/")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-")
    | {"#": " ", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"}
    | {"Æ": "ae", "Œ": "oe", "Ø": "o", "Ł": "l", "Đ": "d", "Ð": "d", "Þ": "th"}
)


def clean_text(text: str) -> str:
    """Make `text` one line that Slurm stores unchanged; cleaning twice changes nothing more."""
    plain = "".join(map(_plain, unicodedata.normalize("NFKD", text.translate(_REPLACED))))
    words = plain.translate(_REPLACED).lower().split()
    return " ".join(words)[:MOST_CHARACTERS].rstrip()


def _plain(char: str) -> str:
    if unicodedata.combining(char):
        return ""
    if char.isascii():
        return char if char.isprintable() else " "
    return "?" if char.isprintable() else " "
