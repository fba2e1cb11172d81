"""The agent's command line: the only reader of the environment."""

import argparse
import os
import sys
from collections.abc import Iterable, MutableMapping, Sequence

from waldur_slurm.agent.arguments import parse
from waldur_slurm.agent.commands import find, typed_with
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.settings import Settings
from waldur_slurm.errors import ExpectedError, SettingsError, SlurmError
from waldur_slurm.service.program import run_program
from waldur_slurm.service.signals import listening
from waldur_slurm.variables.env_file import read_env_file
from waldur_slurm.variables.variable import plain

_CHECK = "waldur-slurm-agent check"
_WITH_ENV_FILE = "waldur-slurm-agent --env-file /etc/waldur-slurm-service/pull.env check"

Environ = MutableMapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    hidden = _secrets_in(os.environ)
    return run_program(
        "waldur-slurm-agent",
        lambda: parse(sys.argv[1:] if argv is None else argv),
        lambda arguments: _run(arguments, os.environ, hidden),
        lambda arguments, error: _advice(arguments, os.environ, error),
        hidden,
    )


def _run(arguments: argparse.Namespace, environ: Environ, hidden: list[str]) -> int:
    """Run the command that was typed; `hidden` learns every secret as soon as it is known."""
    if arguments.env_file:
        environ.update(read_env_file(arguments.env_file))
        hidden += _secrets_in(environ)
    settings = Settings.from_environ(environ)
    hidden += settings.secrets()
    _clean_for_libraries(environ, settings)
    command = find(arguments.command)
    with listening() as signals:
        parts = Parts(settings, environ, signals, sys.stderr, command=arguments.command)
        try:
            code = command(parts, arguments)
            sys.stdout.flush()
        finally:
            parts.close()
    return code


def _clean_for_libraries(environ: Environ, settings: Settings) -> None:
    """python-waldur-client reads these two when it is imported, and would trip over a comment."""
    environ["REQUESTS_VERIFY_SSL"] = str(settings.verify_ssl).lower()
    environ["REQUESTS_TIMEOUT"] = f"{settings.request_timeout.total_seconds():.0f}"


def _advice(arguments: argparse.Namespace, environ: Environ, error: ExpectedError) -> Iterable[str]:
    """Waldur's and Slurm's own words seldom say what is at fault, or whose they are."""
    check = typed_with(arguments.env_file, f"`{_CHECK}`")
    if isinstance(error, SettingsError):
        yield from _where_settings_are(arguments, environ)
    elif isinstance(error, WaldurError):
        yield f"{check} shows whether Waldur answers, and what the agent may do there"
    elif isinstance(error, SlurmError):
        yield f"{check} shows whether Slurm answers, and what the agent may do there"


def _where_settings_are(arguments: argparse.Namespace, environ: Environ) -> Iterable[str]:
    """Who types a command seldom has in the shell what the service has in its env file."""
    is_service = "NOTIFY_SOCKET" in environ
    required = (declared.name for declared in Settings.variables() if declared.is_required)
    is_missing = any(not plain(environ.get(name, "")) for name in required)
    if is_missing and not is_service and arguments.env_file is None:
        yield f"settings that stand in a file are read with --env-file, as in: {_WITH_ENV_FILE}"


def _secrets_in(environ: Environ) -> list[str]:
    """What the environment calls a secret, whether or not the settings are whole."""
    secret = (declared.name for declared in Settings.variables() if declared.is_secret)
    return [plain(environ.get(name, "")) for name in secret]
