"""What is done on the gateway's own machine, by its own settings: serving, and looking after it."""

import argparse
import sys
from collections.abc import MutableMapping
from pathlib import Path

from waldur_slurm.gateway.commands import find
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.configs.files import take_files
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.service.log_file import also_in_file
from waldur_slurm.variables.variable import plain

Environ = MutableMapping[str, str]


def run(arguments: argparse.Namespace, environ: Environ, hidden: list[str]) -> int:
    """Run the command that was typed; `hidden` learns every secret as soon as it is known."""
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


def _secrets_in(environ: Environ) -> list[str]:
    """What the environment calls a secret, whether or not the settings are whole."""
    secret = (declared.name for declared in Settings.variables() if declared.is_secret)
    return [plain(environ.get(name, "")) for name in secret]
