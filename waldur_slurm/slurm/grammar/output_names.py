"""The names of a job's output files, as slurmd makes them of what was asked for. Pure.

Slurm's listings tell the pattern, never the name: `%j`, `%A_%4a` and the like are filled in when
the job starts. Where releases read a pattern in different ways nothing is guessed: it has no name.
"""

import re
from typing import NamedTuple

from waldur_slurm.model.batch import JobId, Task, Tasks

NOWHERE = "/dev/null"

_PATTERN = re.compile(r"%(\d*)(.?)", re.ASCII | re.DOTALL)
_WIDEST = 10
_NO_TASK = 4294967294
"""What slurmd writes for the task of a job that is no array."""


class NamedJob(NamedTuple):
    """What a name may be made of; `number` is the one that slurmctld itself counts by."""

    id: JobId
    number: int
    user: str
    name: str
    host: str
    """Where the script runs; empty where that is not known."""
    work_dir: str


def output_path(pattern: str, job: NamedJob) -> str | None:
    """Return the absolute path that a pattern means, or None where that cannot be said."""
    name = _filled(asked_pattern(pattern, job.id, job.number, job.work_dir), job)
    if not name:
        return None
    path = name if name.startswith("/") else f"{job.work_dir}/{name}"
    return re.sub(r"/(?:\.?/)+", "/", path)


def asked_pattern(pattern: str, job: JobId, number: int, work_dir: str) -> str:
    """Undo what 22.05 tells of tasks whose user named no file: a name that no file has.

    Before the task begins it is told with the array's number, then with the task's own.
    """
    if isinstance(job.part, Task | Tasks):
        told = {f"{work_dir}/slurm-{each}.out" for each in (number, job.number)}
        if pattern in told:
            return f"{work_dir}/slurm-%A_%a.out"
    return pattern


def _filled(pattern: str, job: NamedJob) -> str | None:
    if "\\" in pattern:
        return None
    parts: list[str] = []
    begin = 0
    for found in _PATTERN.finditer(pattern):
        meaning = _meaning(found[1], found[2], job)
        if meaning is None:
            return None
        parts += (pattern[begin : found.start()], meaning)
        begin = found.end()
    return "".join([*parts, pattern[begin:]])


def _meaning(width: str, letter: str, job: NamedJob) -> str | None:
    numbers, words = _numbers(job), _words(job)
    if letter in numbers:
        return str(numbers[letter]).zfill(_width(width))
    if letter in words:
        return words[letter] or None
    if letter == "%" and not width:
        return "%"
    return f"%{letter}" if letter and letter != "%" and not width else None


def _width(digits: str) -> int:
    """Read it; one that is longer than any number counts as the widest."""
    significant = digits.lstrip("0")
    return min(int(significant or 0), _WIDEST) if len(significant) < 3 else _WIDEST


def _numbers(job: NamedJob) -> dict[str, int]:
    task = job.id.part.number if isinstance(job.id.part, Task) else _NO_TASK
    return {
        "A": job.id.number,
        "a": task,
        "b": task % 10,
        "J": job.number,
        "j": job.number,
        "n": 0,
        "t": 0,
    }


def _words(job: NamedJob) -> dict[str, str]:
    return {"N": job.host.partition(".")[0], "s": "batch", "u": job.user, "x": job.name}
