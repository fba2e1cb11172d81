"""The resource limits of a fresh login, which sbatch hands on to every job.

A login's begin with those of the system's first process, and a soft limit of 1024 open files: so
does pam_limits. What root says in hand.conf comes last. sudo runs pam_limits, but then gives back
the caller's number of open files (1.9.13), so that one is set there as well.
"""

import re
import resource
from collections.abc import Iterable, Iterator

from waldur_slurm.hand.conf import UNLIMITED, Limit
from waldur_slurm.hand.errors import Refused

FIRST = "/proc/1/limits"
SELECTABLE = 1024
ROW = re.compile(r"Max ([a-z ]+?) {2,}(\w+) +(\w+)", re.ASCII)
NAMES = {
    "cpu time": "cpu",
    "file size": "fsize",
    "data size": "data",
    "stack size": "stack",
    "core file size": "core",
    "resident set": "rss",
    "processes": "nproc",
    "open files": "nofile",
    "locked memory": "memlock",
    "address space": "as",
    "pending signals": "sigpending",
    "msgqueue size": "msgqueue",
    "nice priority": "nice",
    "realtime priority": "rtprio",
    "realtime timeout": "rttime",
}
"""How the kernel calls them, and how limits.conf and C do."""


def set_as_root(changes: Iterable[Limit]) -> None:
    """Set every limit anew, whatever this process was given."""
    with open(FIRST, encoding="ascii") as file:  # noqa: PTH123 - pathlib takes long to import
        first = [*parse_limits(file.read())]
    _set([*map(_with_few_files, first), *changes])


def set_as_user(changes: Iterable[Limit]) -> None:
    """Set what sudo gave of the caller's, and as much of what root says as a user may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    _set([_with_few_files(Limit("nofile", soft, hard)), *changes])


def _with_few_files(limit: Limit) -> Limit:
    """More than `select` can handle is asked for, not given."""
    is_more = limit.name == "nofile" and not 0 <= limit.soft <= SELECTABLE
    return limit._replace(soft=SELECTABLE) if is_more else limit


def _set(limits: Iterable[Limit]) -> None:
    for limit in limits:
        if limit.name not in NAMES.values():
            raise Refused(f"hand.conf: there is no limit {limit.name}")
        number: int = getattr(resource, f"RLIMIT_{limit.name.upper()}")
        hard = resource.getrlimit(number)[1]
        try:
            resource.setrlimit(number, (limit.soft, limit.hard))
        except ValueError:  # above what this process may have: as much as it may
            resource.setrlimit(number, (_least(limit.soft, hard), _least(limit.hard, hard)))


def _least(one: int, other: int) -> int:
    return max(one, other) if UNLIMITED in (one, other) else min(one, other)


def parse_limits(text: str) -> Iterator[Limit]:
    """Read what /proc/PID/limits says; what has no name here is no login's matter."""
    for shown, soft, hard in ROW.findall(text):
        if shown in NAMES:
            yield Limit(NAMES[shown], _number(soft), _number(hard))


def _number(text: str) -> int:
    return UNLIMITED if text == "unlimited" else int(text)
