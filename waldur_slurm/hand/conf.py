"""What root allows: `hand.conf`, one `key = value` a line. Pure.

    caller = slurm-gateway             the account that may ask
    users = ann bob @physics           whom it may act as: names, groups with @, or * for anybody
    min_uid = 1000                     whoever lies outside is refused, listed or not
    max_uid = 65535
    slurm_user = slurm                 never acted as; nor are root and the caller
    roots = {home} /scratch/{user}     below which directories anything is read or written
    slurm_bin = /usr/bin               where sbatch, scancel and scontrol are
    slurm_conf = /etc/slurm/slurm.conf where Slurm's tools do not find it themselves
    path = /usr/local/bin:/usr/bin:/bin     the PATH of a fresh login
    umask = 022
    limits = memlock=unlimited core=0:0     beside a login's; with sudo not above PAM's
    socket = /run/slurm-gateway/hand.sock            of `socket`, where systemd does not listen
    at_once = 32                       of `socket`: how many acts at the same time

`caller`, `users` and `roots` must be there. What is not understood is refused: a word that root
wrote and nobody reads may have been a bound.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

UNLIMITED = -1


class Limit(NamedTuple):
    """One resource limit, `UNLIMITED` or a number."""

    name: str
    soft: int
    hard: int


class Conf(NamedTuple):
    caller: str
    users: tuple[str, ...]
    roots: tuple[str, ...]
    min_uid: int = 1000
    max_uid: int = 65535
    slurm_user: str = "slurm"
    slurm_bin: str = "/usr/bin"
    slurm_conf: str = ""
    path: str = "/usr/local/bin:/usr/bin:/bin"
    umask: int = 0o022
    limits: tuple[Limit, ...] = ()
    socket: str = "/run/slurm-gateway/hand.sock"
    at_once: int = 32


class BadConf(ValueError):
    """hand.conf does not say what it must, or says more."""


def parse_conf(text: str) -> Conf:
    values: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key not in _READERS or key in values:
            raise BadConf(f"line {number}: {key[:40]!r} is unknown, or there twice, or has no =")
        try:
            values[key] = _READERS[key](value)
        except ValueError as error:
            raise BadConf(f"line {number}: {key}: {error}") from error
    for key in ("caller", "users", "roots"):
        if key not in values:
            raise BadConf(f"{key} is missing")
    return Conf(**values)


def _matching(pattern: str, says: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError(f"{says} is expected, not {text[:80]!r}")
        return text

    return read


def _several(read: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def read_all(text: str) -> tuple[str, ...]:
        words = tuple(read(word) for word in text.split())
        if not words:
            raise ValueError("at least one is expected")
        return words

    return read_all


def _whole(base: int, least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if re.fullmatch("[0-7]{1,10}" if base == 8 else "[0-9]{1,10}", text) is None:
            raise ValueError(f"a whole number is expected, not {text[:80]!r}")
        if not least <= int(text, base) <= most:
            raise ValueError(f"{text} does not lie between {least} and {most}")
        return int(text, base)

    return read


def _limits(text: str) -> tuple[Limit, ...]:
    return tuple(_limit(word) for word in text.split())


def _limit(word: str) -> Limit:
    found = re.fullmatch(
        r"([a-z]{2,12})=(unlimited|[0-9]{1,15})(?::(unlimited|[0-9]{1,15}))?", word
    )
    if found is None:
        raise ValueError(f"name=number or name=soft:hard is expected, not {word[:80]!r}")
    soft, hard = (_bound(part) for part in (found[2], found[3] or found[2]))
    return Limit(found[1], soft, hard)


def _bound(text: str) -> int:
    return UNLIMITED if text == "unlimited" else int(text)


_ABSOLUTE = r"/[^\0\s]*"
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_ROOT = r"(?:/|\{home\})(?:[^\0\s{}]|\{user\})*"

_READERS: dict[str, Callable[[str], Any]] = {
    "caller": _matching(_NAME, "an account"),
    "users": _several(_matching(rf"\*|@?{_NAME}", "a name, @group or *")),
    "roots": _several(_matching(_ROOT, "an absolute path, perhaps with {user}, or {home}")),
    "min_uid": _whole(10, 1, 2**32 - 2),
    "max_uid": _whole(10, 1, 2**32 - 2),
    "slurm_user": _matching(_NAME, "an account"),
    "slurm_bin": _matching(_ABSOLUTE, "an absolute path"),
    "slurm_conf": _matching(_ABSOLUTE, "an absolute path"),
    "path": _matching(rf"{_ABSOLUTE}(?::{_ABSOLUTE})*", "absolute paths with : between"),
    "umask": _whole(8, 0, 0o777),
    "limits": _limits,
    "socket": _matching(_ABSOLUTE, "an absolute path"),
    "at_once": _whole(10, 1, 1000),
}
