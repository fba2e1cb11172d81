"""The gateway's command line: the only reader of the environment, here.

What asks a gateway elsewhere loads nothing of a gateway.
"""

import argparse
import os
import sys
from collections.abc import Iterable, MutableMapping, Sequence

from waldur_slurm.errors import ExpectedError, SlurmError
from waldur_slurm.gateway.arguments import parse
from waldur_slurm.service.program import run_program
from waldur_slurm.variables.env_file import read_env_file

Environ = MutableMapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    hidden: list[str] = []
    return run_program(
        "slurm-gateway",
        lambda: parse(sys.argv[1:] if argv is None else argv),
        lambda arguments: _run(arguments, os.environ, hidden),
        _advice,
        hidden,
    )


def _run(arguments: argparse.Namespace, environ: Environ, hidden: list[str]) -> int:
    if arguments.env_file:
        environ.update(read_env_file(arguments.env_file))
    if getattr(arguments, "asks", None):
        from waldur_slurm.gateway.cli import program

        return program.run(arguments, environ, hidden)
    try:
        from waldur_slurm.gateway import serving
    except ModuleNotFoundError as error:
        raise not_installed(error) from error
    return serving.run(arguments, environ, hidden)


class NotInstalled(ExpectedError):
    """The extra of the package that serving needs is not there."""


def not_installed(error: ModuleNotFoundError) -> Exception:
    """What is missing of our own is a defect."""
    if (error.name or "").startswith("waldur_slurm"):
        return error
    return NotInstalled(f"{error.name} is not installed; pip install 'waldur-slurm-agent[gateway]'")


def _advice(_arguments: argparse.Namespace, error: ExpectedError) -> Iterable[str]:
    if isinstance(error, SlurmError):
        yield "`sinfo` and `scontrol ping`, as the gateway's user, show whether Slurm answers"


if __name__ == "__main__":
    sys.exit(main())
