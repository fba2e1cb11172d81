"""A task as what is done for it: directories to make, and what sbatch is given. Pure.

What a client wrote becomes options by the hand's table and nothing else, each an argument of its
own; his command is one word of the script, which only the job's own bash takes apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from waldur_slurm.gateway.errors import Refused, TooLarge, WrongAsk
from waldur_slurm.gateway.tasks.environment import USUAL, variables_of
from waldur_slurm.gateway.tasks.names import Canned, Names
from waldur_slurm.gateway.tasks.notice import Notice, joined, notice_of
from waldur_slurm.gateway.tasks.quoting import word, words
from waldur_slurm.gateway.tasks.task import (
    MOST_NUMBER,
    Number,
    Reading,
    Task,
    TaskSlurm,
    TaskSpec,
)
from waldur_slurm.hand.grammars import DIRECTORY
from waldur_slurm.hand.options import NotAllowed
from waldur_slurm.hand.requests import MOST_SCRIPT
from waldur_slurm.model.batch import BatchSheet, Refusal
from waldur_slurm.slurm.batch.grammar import commands
from waldur_slurm.slurm.batch.grammar.directives import FORBIDDEN, forbidden_in

MOST_COMMAND = 100_000
"""Of letters: the system hands no program an argument of more than 128 kB."""

_TEXTS = (
    "partition", "account", "qos", "array", "dependency", "gres", "constraint", "reservation",
    "begin", "licenses", "export",
)  # fmt: skip
_COUNTS = ("cpus_per_task", "ntasks", "ntasks_per_node")
_NUMBERS = ("nodes", "gpus", "nice")


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do, in this order; with an empty notice nobody is told of it."""

    directories: tuple[str, ...]
    sheet: BatchSheet
    notice: Notice


def plan(task: Task, names: Names) -> Plan:
    """Plan it, or raise `WrongAsk`, `Refused` or `TooLarge`; nothing was done then."""
    spec = task.spec
    canned = names.get(spec.name)
    if canned is None:
        known = ", ".join(sorted(names))
        raise WrongAsk(f"task.name: {spec.name[:80]!r} is no name of a task here; there is {known}")
    sheet = BatchSheet(
        script_of(spec, canned), dict(_options(task)), _variables(spec.slurm, canned)
    )
    _demand_allowed(sheet)
    return Plan(_directories(spec), sheet, _notice(spec, canned))


def script_of(spec: TaskSpec, canned: Canned) -> str:
    if spec.script:
        _demand_alone(spec)
        return _checked(spec.script)
    cmd = spec.cmd or canned.cmd
    params = spec.params if spec.cmd else (*canned.params, *spec.params)
    if not cmd:
        raise WrongAsk(f"task.cmd: expected a command; the name {spec.name!r} has none of its own")
    if spec.args and params:
        raise WrongAsk("task.args: expected `args`, which stand as they are, or `params`, not both")
    srun = f"exec srun{_cpus(spec.slurm)} /bin/bash -c"
    try:
        if spec.args:
            run = f"""{srun} 'exec -- "$@"' bash {words((cmd, *spec.args))}"""
        else:
            run = f"{srun} {word(' '.join((cmd, *params)))}"
    except ValueError as error:
        raise WrongAsk(f"task.cmd: {error}") from None
    if sum(len(part) + 1 for part in (cmd, *params, *spec.args)) > MOST_COMMAND:
        raise TooLarge(f"a command has at most {MOST_COMMAND} letters; hand in a `script` instead")
    return f"#!/bin/bash\n{run}\n"


def _cpus(slurm: TaskSlurm) -> str:
    """Since 22.05 srun does not take over how many CPUs each task of the job has."""
    if slurm.cpus_per_task is None:
        return ""
    return f" --cpus-per-task={_count('cpus_per_task', slurm.cpus_per_task)}"


def _demand_alone(spec: TaskSpec) -> None:
    if spec.cmd or spec.params or spec.args:
        raise WrongAsk("task.script: expected a `script`, or a `cmd` with what belongs to it")


def _checked(script: str) -> str:
    if len(script.encode(errors="replace")) > MOST_SCRIPT:
        raise TooLarge(f"the script is larger than {MOST_SCRIPT} bytes")
    option = forbidden_in(script)
    if option:
        words = f"the script may not say #SBATCH --{option}: {FORBIDDEN[option]}"
        raise Refused(words, Refusal.OPTION.value)
    return script


def _options(task: Task) -> Iterator[tuple[str, str | None]]:
    spec, slurm = task.spec, task.spec.slurm
    yield "job-name", slurm.job_name or spec.name
    yield "comment", f"{task.uuid} {slurm.comment}" if slurm.comment else task.uuid
    if spec.cwd:
        yield "chdir", _absolute("cwd", spec.cwd)
    yield from _outputs(spec)
    yield from _told(slurm)
    yield from _size(slurm, task.reading)
    yield from _time(slurm, task.reading)


def _told(slurm: TaskSlurm) -> Iterator[tuple[str, str | None]]:
    for name in _TEXTS:
        yield from _given(name, getattr(slurm, name) or None)
    for name in _NUMBERS:
        yield from _given(name, getattr(slurm, name))
    for name in _COUNTS:
        told = getattr(slurm, name)
        yield from _given(name, None if told is None else _count(name, told))
    if slurm.hold:
        yield "hold", None
    if slurm.exclusive:
        yield "exclusive", None if slurm.exclusive is True else slurm.exclusive


def _given(name: str, value: Number | None) -> Iterator[tuple[str, str]]:
    if value is not None:
        yield name.replace("_", "-"), str(value)


def _size(slurm: TaskSlurm, reading: Reading) -> Iterator[tuple[str, str]]:
    if slurm.mem is not None and slurm.mem_per_cpu is not None:
        raise WrongAsk("task.slurm: expected `mem` or `mem_per_cpu`, not both")
    if slurm.mem is not None:
        per_job = reading is Reading.DOCUMENT
        yield "mem" if per_job else "mem-per-cpu", _megabytes("mem", slurm.mem)
    if slurm.mem_per_cpu is not None:
        yield "mem-per-cpu", _megabytes("mem_per_cpu", slurm.mem_per_cpu)


def _time(slurm: TaskSlurm, reading: Reading) -> Iterator[tuple[str, str]]:
    if slurm.time is not None and slurm.time_limit is not None:
        raise WrongAsk("task.slurm: expected `time` or `time_limit`, not both")
    if slurm.time is not None:
        minutes = 60 if reading is Reading.DOCUMENT else 1
        yield "time", str(_count("time", slurm.time) * minutes)
    if slurm.time_limit is not None:
        yield "time", str(slurm.time_limit)


def _outputs(spec: TaskSpec) -> Iterator[tuple[str, str]]:
    """A directory is taken by its letters; the name in it may have patterns, as sbatch has them."""
    for option, ending in (("output", "out"), ("error", "err")):
        directory, name = getattr(spec.dirs, option), getattr(spec.slurm, option)
        if not directory:
            if name:
                yield option, name
            continue
        if "/" in name or name in (".", ".."):
            raise WrongAsk(f"task.slurm.{option}: expected the name of a file in dirs.{option}")
        folder = _absolute(f"dirs.{option}", directory).rstrip("/").replace("%", "%%")
        yield option, f"{folder}/{name or f'slurm-%j.{ending}'}"


def _directories(spec: TaskSpec) -> tuple[str, ...]:
    """Return what is to be made, each once, as the client ordered them."""
    dirs = spec.dirs
    named = {
        "parent": dirs.parent, "input": dirs.input, "output": dirs.output, "error": dirs.error,
    }  # fmt: skip
    found = (_absolute(f"dirs.{name}", path) for name, path in named.items() if path)
    return tuple(dict.fromkeys(found))


def _absolute(name: str, path: str) -> str:
    """Take away what is of no account; `..` would leave the directory by another name."""
    if not DIRECTORY.allows(path) or ".." in path.split("/"):
        raise WrongAsk(f"task.{name}: expected an absolute path, on one line, without ..")
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _variables(slurm: TaskSlurm, canned: Canned) -> Mapping[str, str] | None:
    """What a task says, or its name, or what all have; with `export` it is sbatch's to say."""
    if slurm.environment is not None:
        return variables_of(slurm.environment)
    if slurm.export:
        return None
    return variables_of(USUAL if canned.environment is None else canned.environment)


def _notice(spec: TaskSpec, canned: Canned) -> Notice:
    try:
        return joined(canned.notice, notice_of(spec.notification))
    except ValueError as error:
        raise WrongAsk(f"task.notification.methods: {error}") from None


def _demand_allowed(sheet: BatchSheet) -> None:
    """Ask the hand's table now: later there would be directories, for a job that is none."""
    try:
        commands.submit(sheet)
    except NotAllowed as error:
        raise Refused(str(error), Refusal.OPTION.value) from None


def _count(name: str, told: Number) -> int:
    digits = str(told)
    if digits.isascii() and digits.isdecimal() and 0 < int(digits[:20]) <= MOST_NUMBER:
        return int(digits)
    raise WrongAsk(f"task.slurm.{name}: expected a whole number above 0, not {digits[:40]!r}")


def _megabytes(name: str, told: Number) -> str:
    """Read a number of megabytes, or as sbatch has it, `4G`."""
    digits, unit = str(told), "M"
    if digits[-1:] in "KMGT":
        digits, unit = digits[:-1], digits[-1:]
    return f"{_count(name, digits)}{unit}"
