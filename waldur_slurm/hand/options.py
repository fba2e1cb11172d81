"""What may be asked of Slurm in a user's name: three tools, their options, the values of each.

The only source of it: who submits builds arguments with `built_argv`, and the hand runs none that
`checked_argv` does not return. An option is one argument, `--name` or `--name=value`, so that no
value is taken for an option. No option chooses the user: no `--uid`, no `--gid`, no
`--get-user-env`. Where a job runs and writes (`chdir`, `output`) is bound to no root: its script is
the user's own code, and goes where the user may. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from waldur_slurm.hand import grammars
from waldur_slurm.hand.grammars import Grammar, either, keyed

MOST_ARGUMENTS = 1100
SHOWN = 80


class NotAllowed(ValueError):
    """These arguments are not in the table; the message says which, and what would be."""


FLAG = Grammar("no value", "(?!)")
"""An option that stands alone."""


class Option(NamedTuple):
    """What follows an option's name; `alone` says that nothing may."""

    value: Grammar
    alone: bool = False


def _flag() -> Option:
    return Option(FLAG, alone=True)


SBATCH: Mapping[str, Option] = {
    "account": Option(grammars.NAME),
    "array": Option(grammars.ARRAY),
    "begin": Option(grammars.MOMENT),
    "chdir": Option(grammars.DIRECTORY),
    "clusters": Option(grammars.NAMES),
    "comment": Option(grammars.TEXT),
    "constraint": Option(grammars.FEATURES),
    "contiguous": _flag(),
    "core-spec": Option(grammars.NUMBER),
    "cores-per-socket": Option(grammars.COUNT),
    "cpus-per-gpu": Option(grammars.COUNT),
    "cpus-per-task": Option(grammars.COUNT),
    "deadline": Option(grammars.MOMENT),
    "dependency": Option(grammars.DEPENDENCY),
    "distribution": Option(grammars.DISTRIBUTION),
    "error": Option(grammars.FILE),
    "exclude": Option(grammars.HOSTS),
    "exclusive": Option(either("user", "mcs", "topo"), alone=True),
    "export": Option(either("NONE", "NIL", "ALL")),
    "export-file": Option(grammars.DIRECTORY),
    "gpus": Option(grammars.GPUS),
    "gpus-per-node": Option(grammars.GPUS),
    "gpus-per-socket": Option(grammars.GPUS),
    "gpus-per-task": Option(grammars.GPUS),
    "gres": Option(grammars.RESOURCES),
    "gres-flags": Option(grammars.RESOURCES),
    "hint": Option(either("compute_bound", "memory_bound", "multithread", "nomultithread")),
    "hold": _flag(),
    "ignore-pbs": _flag(),
    "input": Option(grammars.FILE),
    "job-name": Option(grammars.JOB_NAME),
    "kill-on-invalid-dep": Option(grammars.YES_NO),
    "licenses": Option(grammars.LICENSES),
    "mail-type": Option(grammars.MAIL_EVENTS),
    "mail-user": Option(grammars.MAIL_USER),
    "mem": Option(grammars.SIZE),
    "mem-per-cpu": Option(grammars.SIZE),
    "mem-per-gpu": Option(grammars.SIZE),
    "mincpus": Option(grammars.COUNT),
    "nice": Option(grammars.NICE, alone=True),
    "no-kill": _flag(),
    "no-requeue": _flag(),
    "nodelist": Option(grammars.HOSTS),
    "nodes": Option(grammars.NODES),
    "ntasks": Option(grammars.COUNT),
    "ntasks-per-core": Option(grammars.COUNT),
    "ntasks-per-gpu": Option(grammars.COUNT),
    "ntasks-per-node": Option(grammars.COUNT),
    "ntasks-per-socket": Option(grammars.COUNT),
    "open-mode": Option(either("append", "truncate")),
    "output": Option(grammars.FILE),
    "overcommit": _flag(),
    "oversubscribe": _flag(),
    "parsable": _flag(),
    "partition": Option(grammars.NAMES),
    "propagate": Option(either("NONE", "ALL")),
    "qos": Option(grammars.NAMES),
    "requeue": _flag(),
    "reservation": Option(grammars.NAMES),
    "signal": Option(grammars.SIGNAL_BEFORE),
    "sockets-per-node": Option(grammars.COUNT),
    "spread-job": _flag(),
    "switches": Option(grammars.SWITCHES),
    "test-only": _flag(),
    "threads-per-core": Option(grammars.COUNT),
    "time": Option(grammars.TIME),
    "time-min": Option(grammars.TIME),
    "tmp": Option(grammars.SIZE),
    "use-min-nodes": _flag(),
    "wckey": Option(grammars.NAME),
}
"""The script comes on stdin, so no argument is a file that sbatch would read."""

SCANCEL: Mapping[str, Option] = {
    "batch": _flag(),
    "clusters": Option(grammars.NAME),
    "ctld": _flag(),
    "full": _flag(),
    "hurry": _flag(),
    "quiet": _flag(),
    "signal": Option(grammars.SIGNAL),
    "state": Option(either("PENDING", "RUNNING", "SUSPENDED")),
    "verbose": _flag(),
}
"""Jobs are always named: nothing here cancels by user, account or partition."""

SCONTROL: Mapping[str, Option] = {"clusters": Option(grammars.NAME), "quiet": _flag()}

UPDATED: Mapping[str, Grammar] = {
    "Account": grammars.NAME,
    "ArrayTaskThrottle": grammars.NUMBER,
    "Comment": grammars.CLEARED,
    "Contiguous": grammars.YES_NO,
    "Deadline": grammars.MOMENT,
    "Dependency": grammars.NO_DEPENDENCY,
    "ExcNodeList": grammars.NO_HOSTS,
    "Features": grammars.FEATURES,
    "JobName": grammars.JOB_NAME,
    "Licenses": grammars.LICENSES,
    "MailType": grammars.MAIL_EVENTS,
    "MailUser": grammars.MAIL_USER,
    "MinCPUsNode": grammars.COUNT,
    "MinMemoryCPU": grammars.NUMBER,
    "MinMemoryNode": grammars.NUMBER,
    "MinTmpDiskNode": grammars.NUMBER,
    "Nice": grammars.NICE,
    "NumCPUs": grammars.COUNT,
    "NumNodes": grammars.NODES,
    "NumTasks": grammars.COUNT,
    "OverSubscribe": grammars.YES_NO,
    "Partition": grammars.NAMES,
    "QOS": grammars.NAMES,
    "ReqNodeList": grammars.NO_HOSTS,
    "Requeue": either("0", "1"),
    "ReservationName": grammars.NAMES,
    "StartTime": grammars.MOMENT,
    "StdErr": grammars.FILE,
    "StdIn": grammars.FILE,
    "StdOut": grammars.FILE,
    "Switches": grammars.SWITCHES,
    "TimeLimit": grammars.TIME,
    "TimeMin": grammars.TIME,
    "WCKey": grammars.NAME,
    "WorkDir": grammars.DIRECTORY,
}
"""What `scontrol update JobId=...` may set, memory and disk in megabytes without a unit.

Slurm itself refuses what a user may not set; 22.05 refuses `StdErr` and `StdIn` to everybody.
"""

TOOL_ENVIRON: Mapping[str, Grammar] = {
    "TZ": either("UTC"),
    "SLURM_TIME_FORMAT": either("%s", "standard"),
    "SLURM_BITSTR_LEN": grammars.NUMBER,
    "INPUTRC": either("/dev/null"),
}
"""What a tool's own environment may be told beside a login's: how its answers are written."""

JOB_VERBS = ("hold", "uhold", "release", "requeue", "requeuehold", "suspend", "resume", "top")

TOOLS: Mapping[str, Mapping[str, Option]] = {
    "sbatch": SBATCH,
    "scancel": SCANCEL,
    "scontrol": SCONTROL,
}


def built_argv(
    tool: str, options: Mapping[str, str | None], operands: Sequence[str] = ()
) -> tuple[str, ...]:
    """Make the arguments from values, None for a flag, and check them."""
    written = (
        f"--{name}" if value is None else f"--{name}={value}" for name, value in options.items()
    )
    return checked_argv((tool, *written, *operands))


def checked_argv(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the very arguments that were asked for, or raise `NotAllowed`."""
    if not argv or argv[0] not in TOOLS:
        raise NotAllowed(f"{_shown(argv[0] if argv else '')} is none of {', '.join(TOOLS)}")
    if len(argv) > MOST_ARGUMENTS:
        raise NotAllowed(f"{len(argv)} arguments are more than {MOST_ARGUMENTS}")
    tool, table = argv[0], TOOLS[argv[0]]
    options = _leading_options(argv)
    _check_options(tool, table, options)
    _check_operands(tool, argv[1 + len(options) :])
    return tuple(argv)


def checked_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a tool is to be told beside a login's environment, or raise `NotAllowed`."""
    for name, value in environ.items():
        if name not in TOOL_ENVIRON or not TOOL_ENVIRON[name].allows(value):
            raise NotAllowed(f"a tool may not be told {_shown(name)} is {_shown(value)}")
    return dict(environ)


def _leading_options(argv: Sequence[str]) -> Sequence[str]:
    """Return the arguments up to the first that does not begin as an option does."""
    end = next((at for at, word in enumerate(argv) if at and not word.startswith("-")), len(argv))
    return argv[1:end]


def _check_options(tool: str, table: Mapping[str, Option], written: Sequence[str]) -> None:
    seen: set[str] = set()
    for argument in written:
        name, equals, value = argument.removeprefix("--").partition("=")
        option = table.get(name) if argument.startswith("--") else None
        if option is None:
            raise NotAllowed(f"{tool} may not be given {_shown(argument)}")
        if name in seen:
            raise NotAllowed(f"{tool} is given --{name} twice")
        if not (option.value.allows(value) if equals else option.alone):
            raise NotAllowed(f"{tool} --{name} takes {option.value.says}, not {_shown(value)}")
        seen.add(name)


def _check_operands(tool: str, operands: Sequence[str]) -> None:
    if tool == "sbatch":
        if operands:
            raise NotAllowed(f"sbatch reads its script from stdin, not from {_shown(operands[0])}")
    elif tool == "scancel":
        _check_all(tool, operands, grammars.JOB)
    else:
        _check_control(operands)


def _check_control(words: Sequence[str]) -> None:
    verb, rest = (words[0], words[1:]) if words else ("", ())
    if verb in JOB_VERBS:
        _check_all(f"scontrol {verb}", rest, grammars.JOBS)
    elif verb == "update":
        _check_update(rest)
    elif verb == "ping":
        _check_row("scontrol ping", rest, ())
    elif verb == "write":
        _check_row("scontrol write", rest, (either("batch_script"), grammars.RUN, either("-")))
    elif verb == "token":
        _check_row("scontrol token", rest, (keyed("lifespan", grammars.COUNT),))
    else:
        raise NotAllowed(f"scontrol may not be asked to {_shown(verb)}")


def _check_update(words: Sequence[str]) -> None:
    """One job, then what is to change; the same key twice would let the second win unseen."""
    _check_row("scontrol update", words[:1], (keyed("JobId", grammars.JOB),))
    keys = [word.partition("=")[0] for word in words[1:]]
    if not keys or len(set(keys)) < len(keys):
        raise NotAllowed("scontrol update takes one or more changes, each once")
    for key, word in zip(keys, words[1:], strict=True):
        if key not in UPDATED:
            raise NotAllowed(f"scontrol update may not be given {_shown(word)}")
        _check_row("scontrol update", (word,), (keyed(key, UPDATED[key]),))


def _check_all(what: str, words: Sequence[str], grammar: Grammar) -> None:
    if not words:
        raise NotAllowed(f"{what} takes {grammar.says}, and none is given")
    _check_row(what, words, (grammar,) * len(words))


def _check_row(what: str, words: Sequence[str], row: Sequence[Grammar]) -> None:
    if len(words) != len(row):
        raise NotAllowed(f"{what} takes {len(row)} arguments here, not {len(words)}")
    for word, grammar in zip(words, row, strict=True):
        if not grammar.allows(word):
            raise NotAllowed(f"{what} takes {grammar.says}, not {_shown(word)}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")
