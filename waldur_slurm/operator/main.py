"""The operator's command line: the only reader of the environment, here."""

import argparse
import os
import sys
from collections.abc import Iterable, MutableMapping, Sequence

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.arguments import parse
from waldur_slurm.operator.commands.check import check
from waldur_slurm.operator.commands.daemon import resource_daemon
from waldur_slurm.operator.commands.plan import plan
from waldur_slurm.operator.commands.run import run
from waldur_slurm.operator.companion.program import Places
from waldur_slurm.operator.companion.program import run as run_companion
from waldur_slurm.operator.composition import Parts
from waldur_slurm.operator.settings import Settings
from waldur_slurm.service.program import run_program
from waldur_slurm.service.signals import ended_at_once
from waldur_slurm.variables.env_file import read_env_file


def main(argv: Sequence[str] | None = None) -> int:
    return run_program(
        "slurm-operator",
        lambda: parse(sys.argv[1:] if argv is None else argv),
        lambda arguments: _run(arguments, os.environ),
        _advice,
        [],
    )


def _run(arguments: argparse.Namespace, environ: MutableMapping[str, str]) -> int:
    if arguments.env_file:
        environ.update(read_env_file(arguments.env_file))
    if arguments.command == "companion":
        with ended_at_once():
            return run_companion(Places(arguments.told, arguments.into, arguments.message))
    parts = Parts(Settings.from_environ(environ), environ)
    match arguments.command:
        case "resource-daemon":
            return resource_daemon(parts, arguments)
        case "plan":
            return plan(parts, arguments)
        case "check":
            return check(parts, arguments)
        case _:
            return run(parts, arguments)


def _advice(_arguments: argparse.Namespace, _error: ExpectedError) -> Iterable[str]:
    return ()


if __name__ == "__main__":
    sys.exit(main())
