"""The gateway's command line: the only reader of the environment, here."""

import argparse
import os
import sys
from collections.abc import Iterable, MutableMapping, Sequence
from pathlib import Path

from waldur_slurm.errors import ExpectedError, SlurmError
from waldur_slurm.gateway.arguments import parse
from waldur_slurm.gateway.commands import find
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.configs.files import take_files
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.service.log_file import also_in_file
from waldur_slurm.service.program import run_program
from waldur_slurm.variables.env_file import read_env_file
from waldur_slurm.variables.variable import plain

Environ = MutableMapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    hidden = _secrets_in(os.environ)
    return run_program(
        "slurm-gateway",
        lambda: parse(sys.argv[1:] if argv is None else argv),
        lambda arguments: _run(arguments, os.environ, hidden),
        _advice,
        hidden,
    )


def _run(arguments: argparse.Namespace, environ: Environ, hidden: list[str]) -> int:
    """Run the command that was typed; `hidden` learns every secret as soon as it is known."""
    if arguments.env_file:
        environ.update(read_env_file(arguments.env_file))
        hidden += _secrets_in(environ)
    not_honoured = take_files(_config_files(arguments, environ), environ)
    hidden += _secrets_in(environ)
    settings = Settings.from_environ(environ)
    hidden += settings.secrets()
    log = sys.stderr if settings.log_file is None else also_in_file(sys.stderr, settings.log_file)
    parts = Parts(settings, environ, log, not_honoured)
    try:
        code = find(arguments.command)(parts, arguments)
        sys.stdout.flush()
    finally:
        parts.close()
    return code


def _config_files(arguments: argparse.Namespace, environ: Environ) -> list[Path]:
    """Return those that were typed, else the one where Slurm RestAPI looks for its own."""
    if arguments.command == "import" and arguments.what == "slurmer":
        return [*arguments.config, arguments.files[0]]
    told = plain(environ.get("SLURM_REST_API_CONFIG", ""))
    return arguments.config or ([Path(told)] if told else [])


def _advice(_arguments: argparse.Namespace, error: ExpectedError) -> Iterable[str]:
    if isinstance(error, SlurmError):
        yield "`sinfo` and `scontrol ping`, as the gateway's user, show whether Slurm answers"


def _secrets_in(environ: Environ) -> list[str]:
    """What the environment calls a secret, whether or not the settings are whole."""
    secret = (declared.name for declared in Settings.variables() if declared.is_secret)
    return [plain(environ.get(name, "")) for name in secret]


if __name__ == "__main__":
    sys.exit(main())
