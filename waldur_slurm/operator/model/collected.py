"""What a job-companion says when it ends: the last words of its pod, which Kubernetes keeps for it.

Kubernetes keeps 4 KiB of them. Where the files do not fit, the first are named and all are counted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 4096
LONGEST_WORDS = 800

COLLECTED, FAILED, AGAIN, TOKEN_ENDED = 0, 1, 75, 77
"""The companion's exit codes: done; not to be done; may be done by another one, or by one with a
new token. One that died has another code, and is made again too."""


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """One that lies in the claim, whole; `sha256` in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Collected:
    """`count` and `size` are of all that was collected; `files` may be the first of them."""

    files: tuple[CollectedFile, ...] = ()
    count: int = 0
    size: int = 0
    words: str = ""
    """Why nothing, or not all, was collected."""


def collected(files: Sequence[CollectedFile], words: str = "") -> Collected:
    return Collected(tuple(files), len(files), sum(file.size for file in files), words)


def to_message(told: Collected) -> str:
    """Write it in as many bytes as Kubernetes keeps."""
    words = told.words if len(told.words) <= LONGEST_WORDS else f"{told.words[:LONGEST_WORDS]}..."
    said: dict[str, object] = {"count": told.count, "size": told.size}
    if words:
        said["words"] = words
    room = LONGEST - len(_text({**said, "files": []}))
    rows: list[tuple[str, int, str]] = []
    for file in told.files:
        row = (file.path, file.size, file.sha256)
        room -= len(_text(row)) + 1
        if room < 0:
            break
        rows.append(row)
    return _text({**said, "files": rows})


def read_message(text: str) -> Collected | None:
    """Return what a companion said; None where nobody, or something else, spoke."""
    try:
        said = json.loads(text)
        files = tuple(
            CollectedFile(str(path), int(size), str(digest))
            for path, size, digest in said.get("files") or ()
        )
        return Collected(files, int(said["count"]), int(said["size"]), str(said.get("words", "")))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def _text(said: object) -> str:
    """ASCII alone, so that a character more is a byte more."""
    return json.dumps(said, separators=(",", ":"))
