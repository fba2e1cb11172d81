"""The closed grammar of what can be asked: ten verbs, the keys of each, their values. Pure.

`slurm` is submit, cancel and control: its arguments are those of the table in `options`. No key may
be missing and none may be added; a request that is not understood whole is refused.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from waldur_slurm.hand import wire
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.options import NotAllowed, checked_argv, checked_environ

MOST_SCRIPT = 4 * 1024 * 1024
MOST_BYTES = 2**40
MOST_ENTRIES = 100_000
MOST_DEPTH = 64
MOST_TIMEOUT_S = 600
MOST_PATH = 4096
MOST_NAME = 255
MOST_VARIABLES = 512 * 1024


class Slurm(NamedTuple):
    """Run one of Slurm's tools; the body is its stdin, `variables` what a job shall have."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    variables: Mapping[str, str] | None
    timeout_s: int


class Make(NamedTuple):
    """Make a directory; one that is there stays as it is."""

    path: tuple[bytes, ...]
    mode: int
    parents: bool


class Put(NamedTuple):
    """Write the body to a file, which is there whole or not at all."""

    path: tuple[bytes, ...]
    mode: int
    most: int
    replace: bool


class Take(NamedTuple):
    """Send `length` bytes (None: all) from `offset`, below 0 from the file's end."""

    path: tuple[bytes, ...]
    offset: int
    length: int | None


class List(NamedTuple):
    path: tuple[bytes, ...]
    depth: int
    most: int


class Stat(NamedTuple):
    path: tuple[bytes, ...]


class ZipOut(NamedTuple):
    path: tuple[bytes, ...]
    most: int
    compress: bool


class ZipIn(NamedTuple):
    """Unpack the body into a directory: all of it, or nothing."""

    path: tuple[bytes, ...]
    most: int
    most_entries: int


class Remove(NamedTuple):
    """Remove a file or a tree; where names are kept, what else the directory holds."""

    path: tuple[bytes, ...]
    keep: tuple[bytes, ...]


class Who(NamedTuple):
    """Say who the user is to this host."""


Act = Slurm | Make | Put | Take | List | Stat | ZipOut | ZipIn | Remove | Who


class Request(NamedTuple):
    user: str
    act: Act


def parse_request(payload: bytes) -> Request:
    """Read one request, or refuse it in a sentence."""
    try:
        asked = json.loads(payload.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"a request is JSON: {type(error).__name__}") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("user"), str):
        raise Refused("a request is an object that names its user")
    verb, user = asked.pop("verb", None), asked.pop("user")
    if not isinstance(verb, str) or verb not in _VERBS:
        raise Refused(f"{str(verb)[:40]!r} is none of {', '.join(_VERBS)}")
    kind, fields = _VERBS[verb]
    if asked.keys() != fields.keys():
        raise Refused(f"{verb} takes {', '.join(fields)}, not {', '.join(asked)[:200]}")
    return Request(user, kind(**{key: read(asked[key]) for key, read in fields.items()}))


def to_wire(verb: str, user: str, **fields: object) -> dict[str, object]:
    return {"verb": verb, "user": user, **fields}


def parts_of(value: object) -> tuple[bytes, ...]:
    """Read an absolute path as the names on it: no `.`, no `..`, nothing empty between."""
    if not isinstance(value, str) or not value.startswith("/") or len(value) > MOST_PATH:
        raise Refused(f"a path is absolute, not {str(value)[:80]!r}")
    return tuple(_name(part) for part in value[1:].split("/"))


def _name(value: object) -> bytes:
    if not isinstance(value, str) or value in ("", ".", "..") or {"/", "\0"} & {*value}:
        raise Refused(f"{str(value)[:80]!r} is not the name of a file")
    try:
        name = wire.to_bytes(value)
    except UnicodeEncodeError:
        raise Refused("a name is UTF-8, or bytes as lone surrogates") from None
    if len(name) > MOST_NAME:
        raise Refused(f"a name has at most {MOST_NAME} bytes")
    return name


def _names(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > 100:
        raise Refused("keep is a list of at most 100 names")
    return tuple(_name(each) for each in value)


def _argv(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise Refused("argv is a list of texts")
    try:
        return checked_argv(value)
    except NotAllowed as error:
        raise Refused(str(error)) from error


def _environ(value: object) -> dict[str, str]:
    texts = _texts(value)
    try:
        return checked_environ(texts)
    except NotAllowed as error:
        raise Refused(str(error)) from error


def _variables(value: object) -> dict[str, str] | None:
    """Read the variables of a job; they go to it through a file, never through a tool's own."""
    if value is None:
        return None
    texts = _texts(value)
    if any(not name or {"=", "\0"} & {*name} or "\0" in text for name, text in texts.items()):
        raise Refused("a variable has a name without =, and a text without NUL")
    try:
        size = len(variables_file(texts))
    except UnicodeEncodeError:
        raise Refused("variables are UTF-8") from None
    if size > MOST_VARIABLES:
        raise Refused(f"the variables have more than {MOST_VARIABLES} bytes")
    return texts


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Refused("an object whose values are texts is expected")
    return value


def variables_file(variables: Mapping[str, str]) -> bytes:
    """Write variables as `sbatch --export-file` reads them: nothing in a value can end it."""
    return b"".join(f"{name}={value}\0".encode() for name, value in variables.items())


def _whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Refused(f"a whole number of {least} to {most} is expected, not {str(value)[:40]}")
        return value

    return read


def _maybe(read: Callable[[object], int]) -> Callable[[object], int | None]:
    return lambda value: None if value is None else read(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused("true or false is expected")
    return value


_MODE = _whole(0, 0o777)
_SIZE = _whole(0, MOST_BYTES)
_TIMEOUT_S = _whole(1, MOST_TIMEOUT_S)
_ENTRIES = _whole(1, MOST_ENTRIES)

Fields = Mapping[str, Callable[[object], Any]]

_VERBS: Mapping[str, tuple[Callable[..., Act], Fields]] = {
    "slurm": (
        Slurm,
        {"argv": _argv, "environ": _environ, "variables": _variables, "timeout_s": _TIMEOUT_S},
    ),
    "make": (Make, {"path": parts_of, "mode": _MODE, "parents": _truth}),
    "put": (Put, {"path": parts_of, "mode": _MODE, "most": _SIZE, "replace": _truth}),
    "take": (
        Take,
        {"path": parts_of, "offset": _whole(-MOST_BYTES, MOST_BYTES), "length": _maybe(_SIZE)},
    ),
    "list": (List, {"path": parts_of, "depth": _whole(1, MOST_DEPTH), "most": _ENTRIES}),
    "stat": (Stat, {"path": parts_of}),
    "zip-out": (ZipOut, {"path": parts_of, "most": _SIZE, "compress": _truth}),
    "zip-in": (ZipIn, {"path": parts_of, "most": _SIZE, "most_entries": _ENTRIES}),
    "remove": (Remove, {"path": parts_of, "keep": _names}),
    "who": (Who, {}),
}
