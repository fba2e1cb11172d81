"""The operator's command line: the only reader of the environment, here."""

import argparse
import os
import sys
from collections.abc import Iterable, MutableMapping, Sequence

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.arguments import parse
from waldur_slurm.operator.companion.program import Places
from waldur_slurm.operator.companion.program import run as run_companion
from waldur_slurm.operator.composition import log_of, resource_daemon
from waldur_slurm.operator.settings import Settings
from waldur_slurm.service.program import run_program
from waldur_slurm.service.signals import ended_at_once, listening
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
    settings = Settings.from_environ(environ)
    daemon = resource_daemon(settings, log_of(settings, environ))
    if arguments.once:
        return 0 if daemon.turn() else 1
    with listening() as signals:
        while not signals.is_stopping:
            daemon.turn()
            signals.wait(settings.nodes_every)
    return 0


def _advice(_arguments: argparse.Namespace, _error: ExpectedError) -> Iterable[str]:
    return ()


if __name__ == "__main__":
    sys.exit(main())
