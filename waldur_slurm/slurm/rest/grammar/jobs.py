"""A sheet as the body of `POST /job/submit`, for each version of slurmrestd's API. Pure.

slurmrestd reads no `#SBATCH` line. A script that has one would run as something else than it says,
so each of them is read here, below the sheet's own options, and what cannot be said is refused.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from waldur_slurm.hand.options import SBATCH, NotAllowed
from waldur_slurm.model.batch import BatchSheet, VariablesFile
from waldur_slurm.slurm.batch.grammar.directives import directive_lines

OBJECTS_SINCE = 40
"""From this version on a number is an object."""

_SIZES = {"": 1, "K": 0, "M": 1, "G": 1024, "T": 1024 * 1024}
_MINIMAL = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
_SHORT = {
    "A": "account", "a": "array", "c": "cpus-per-task", "C": "constraint", "D": "chdir",
    "d": "dependency", "e": "error", "H": "hold", "i": "input", "J": "job-name", "L": "licenses",
    "N": "nodes", "n": "ntasks", "o": "output", "p": "partition", "q": "qos", "t": "time",
}  # fmt: skip

Value = object


class _Field(NamedTuple):
    name: str
    read: Callable[[str, int], Value]


def _text(text: str, _version: int) -> Value:
    return text


def _whole(text: str, _version: int) -> Value:
    return int(text)


def _number(number: int, version: int) -> Value:
    return {"set": True, "number": number} if version >= OBJECTS_SINCE else number


def _minutes(text: str, version: int) -> Value:
    if text in ("UNLIMITED", "INFINITE"):
        return {"set": True, "infinite": True} if version >= OBJECTS_SINCE else 2**32 - 1
    days, dash, clock = text.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    if dash:
        hours, minutes, seconds = (*parts, 0, 0)[:3]
        total = ((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds
    elif len(parts) == 3:
        total = (parts[0] * 60 + parts[1]) * 60 + parts[2]
    else:
        total = parts[0] * 60 + (parts[1] if len(parts) == 2 else 0)
    return _number(-(-total // 60), version)


def _mebibytes(text: str, version: int) -> Value:
    number, unit = (text[:-1], text[-1]) if text[-1] in _SIZES else (text, "")
    size = int(number) * _SIZES[unit] if unit != "K" else -(-int(number) // 1024)
    return _number(size, version)


_FIELDS: Mapping[str, _Field] = {
    "account": _Field("account", _text),
    "array": _Field("array", _text),
    "chdir": _Field("current_working_directory", _text),
    "comment": _Field("comment", _text),
    "constraint": _Field("constraints", _text),
    "cpus-per-task": _Field("cpus_per_task", _whole),
    "dependency": _Field("dependency", _text),
    "error": _Field("standard_error", _text),
    "input": _Field("standard_input", _text),
    "job-name": _Field("name", _text),
    "licenses": _Field("licenses", _text),
    "mem": _Field("memory_per_node", _mebibytes),
    "mem-per-cpu": _Field("memory_per_cpu", _mebibytes),
    "nice": _Field("nice", _whole),
    "ntasks": _Field("tasks", _whole),
    "ntasks-per-node": _Field("tasks_per_node", _whole),
    "output": _Field("standard_output", _text),
    "partition": _Field("partition", _text),
    "qos": _Field("qos", _text),
    "reservation": _Field("reservation", _text),
    "time": _Field("time_limit", _minutes),
}
"""What a sheet can say here; `nodes` and `hold` are said in ways of their own."""


def job_body(sheet: BatchSheet, version: int, home: str) -> dict[str, object]:
    """Write the body; `home` is where a job runs that does not say where."""
    lines = directive_lines(sheet.script)
    options = {**dict(chain.from_iterable(map(_options, lines))), **sheet.options}
    job: dict[str, object] = {"current_working_directory": home}
    for name, value in options.items():
        _check(name, value)
        job |= _said(name, value, version)
    job.setdefault("name", "sbatch")
    job.setdefault("standard_output", _default_output(options))
    for key in ("standard_output", "standard_error"):
        if key in job:
            job[key] = posixpath.join(str(job["current_working_directory"]), str(job[key]))
    job["environment"] = _environment(sheet, version)
    return {"script": sheet.script, "job": job}


def _check(name: str, value: str | None) -> None:
    option = SBATCH.get(name)
    is_sound = option and (option.alone if value is None else option.value.allows(value))
    if not is_sound:
        raise NotAllowed(f"sbatch may not be given --{name[:80]} as {str(value)[:80]!r}")


def _said(name: str, value: str | None, version: int) -> dict[str, object]:
    if name == "hold":
        return {"hold": True}
    if name == "nodes" and value is not None:
        least, _, most = value.partition("-")
        if version >= OBJECTS_SINCE:
            return {"nodes": value if most else least}
        return {"nodes": [int(least), int(most or least)]}
    field = _FIELDS.get(name)
    if field is None or value is None:
        raise NotAllowed(f"--{name} cannot be said to slurmrestd; sbatch takes it")
    return {field.name: field.read(value, version)}


def _default_output(options: Mapping[str, str | None]) -> str:
    return "slurm-%A_%a.out" if "array" in options else "slurm-%j.out"


def _environment(sheet: BatchSheet, version: int) -> object:
    if isinstance(sheet.variables, VariablesFile):
        raise NotAllowed("slurmrestd reads no file of variables")
    variables = _MINIMAL if sheet.variables is None else sheet.variables
    if version >= OBJECTS_SINCE - 1:
        return [f"{name}={value}" for name, value in variables.items()] or ["PATH="]
    return dict(variables)


def _options(line: str) -> Iterator[tuple[str, str | None]]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise NotAllowed(f"#SBATCH {line[:80]!r} has a quote without its end") from None
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
        elif re.match(r"-[A-Za-z]", word):
            name, equals, value = (
                _SHORT.get(word[1], word[1]),
                word[2:3],
                word[2:].removeprefix("="),
            )
        else:
            raise NotAllowed(f"#SBATCH {word[:80]!r} is no option")
        if equals:
            yield name, value
        elif name in SBATCH and SBATCH[name].alone:
            yield name, None
        elif words:
            yield name, words.pop(0)
        else:
            raise NotAllowed(f"#SBATCH --{name[:80]} has no value")
