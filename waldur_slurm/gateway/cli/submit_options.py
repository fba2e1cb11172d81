"""What can be typed after `submit`: sbatch's own options, by the names that it gives them."""

import argparse
from typing import Any

from waldur_slurm.hand.options import FLAG, SBATCH

_LETTERS = {
    "account": "A",
    "array": "a",
    "begin": "b",
    "chdir": "D",
    "constraint": "C",
    "cpus-per-task": "c",
    "dependency": "d",
    "error": "e",
    "exclude": "x",
    "gpus": "G",
    "hold": "H",
    "input": "i",
    "job-name": "J",
    "licenses": "L",
    "nodelist": "w",
    "nodes": "N",
    "ntasks": "n",
    "output": "o",
    "partition": "p",
    "qos": "q",
    "time": "t",
}
_SAYS = {
    "account": "who pays",
    "array": "tasks, such as 0-9%%2",
    "begin": "not before, such as now+1hour",
    "chdir": "where it runs",
    "constraint": "features of its nodes",
    "cpus-per-task": "",
    "dependency": "such as afterok:4711",
    "error": "where its errors go",
    "gpus": "",
    "gres": "such as gpu:2",
    "hold": "do not start it until it is released",
    "job-name": "",
    "mem": "a node, such as 4G",
    "nodes": "",
    "ntasks": "",
    "output": "where its output goes",
    "partition": "",
    "qos": "",
    "reservation": "",
    "time": "its limit, such as 30:00 or 1-00",
}
"""Those that the help names; all others are taken as well."""

NOT_HERE = frozenset({"clusters", "test-only", "parsable", "export-file"})
"""What the address and other options of ours say, or what means nothing here."""

DEST = "sbatch_"


def add_submit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", metavar="SCRIPT", help="its file, or - for standard input")
    parser.add_argument(
        "--key", default="", help="names the job: the same key again is the same job, never another"
    )
    parser.add_argument("--user", default="", help="whose job it is, if not your own")
    parser.add_argument("--mark", default="", help="what it is found again by")
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable; with any it has no others of a login",
    )
    parser.add_argument("--wait", action="store_true", help="wait for its end, as `wait` does")
    parser.add_argument("--dry-run", action="store_true", help="only say when it would start")
    group = parser.add_argument_group(
        "sbatch's options", "these, and all others that the gateway takes, by sbatch's long names"
    )
    for name, option in SBATCH.items():
        if name not in NOT_HERE:
            group.add_argument(*_flags(name), dest=f"{DEST}{name}", **_kind(name, option.alone))


def options_of(arguments: argparse.Namespace) -> dict[str, str | int | bool]:
    """Return those that were given, as the API takes them."""
    told = vars(arguments)
    named = {key.removeprefix(DEST): told[key] for key in told if key.startswith(DEST)}
    return {name: value for name, value in named.items() if value not in (None, False)}


def _flags(name: str) -> tuple[str, ...]:
    letter = _LETTERS.get(name)
    return (f"-{letter}", f"--{name}") if letter else (f"--{name}",)


def _kind(name: str, alone: bool) -> dict[str, Any]:
    says = {"help": _SAYS.get(name, argparse.SUPPRESS)}
    if SBATCH[name].value is FLAG:
        return {"action": "store_true", **says}
    metavar = name.rpartition("-")[2].upper()
    if alone:
        return {"nargs": "?", "const": True, "metavar": metavar, **says}
    return {"metavar": metavar, **says}
