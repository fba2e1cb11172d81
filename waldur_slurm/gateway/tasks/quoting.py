"""Text as one word of bash, on one line, whatever is in it. Pure.

A script's lines are read by sbatch too, `#PBS` ones to the very end of it: so nothing that a client
wrote may begin a line.
"""

import re
from collections.abc import Iterable

_TAKEN_APART = re.compile(r"[\\'\x00-\x1f\x7f]")


def word(text: str) -> str:
    """Write the text so that bash reads just it; raises `ValueError` for what no word can hold."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("expected text: no zero byte, nothing that UTF-8 has no bytes for")
    return "$'" + _TAKEN_APART.sub(lambda found: f"\\{ord(found[0]):03o}", text) + "'"


def words(texts: Iterable[str]) -> str:
    return " ".join(map(word, texts))
