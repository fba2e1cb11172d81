"""What must never be printed is taken out of everything that leaves the process.

Known secrets go wherever they stand, in each spelling that a log, a URL or JSON gives them; what
only looks like a credential goes too.
"""

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

Redaction = Callable[[str], str]

HIDDEN = "<secret>"

_CREDENTIALS = (
    (re.compile(r"\bsgw_[a-z0-9]{8}_[A-Za-z0-9_-]{8,}"), HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
    (re.compile(r"(?i)\b(token|bearer|basic) +[a-z0-9+/._=-]{16,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)[^/@\s\"']+@"), f"{HIDDEN}@"),
)


def redaction(secrets: Iterable[str]) -> Redaction:
    """Make the function that takes these secrets out of a text."""
    spellings = {
        spelling
        for secret in secrets
        if secret
        for spelling in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
    }
    longest_first = sorted(spellings, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def redact(text: str) -> str:
        text = known.sub(HIDDEN, text)
        for credential, replacement in _CREDENTIALS:
            text = credential.sub(replacement, text)
        return text

    return redact
