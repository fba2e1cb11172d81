"""The agent's command line: the only reader of the environment."""

import argparse
import os
import sys
from collections.abc import Iterable, MutableMapping, Sequence

from waldur_slurm.agent.arguments import parse
from waldur_slurm.agent.commands import find
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.settings import Settings
from waldur_slurm.errors import ExpectedError, SlurmError
from waldur_slurm.service.program import run_program
from waldur_slurm.service.signals import listening
from waldur_slurm.variables.env_file import read_env_file
from waldur_slurm.variables.variable import plain

Environ = MutableMapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    hidden = _secrets_in(os.environ)

    def work() -> int:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        return _run(arguments, os.environ, hidden)

    return run_program("waldur-slurm-agent", work, hidden, _advice)


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
        parts = Parts(settings, environ, signals, sys.stderr)
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


def _advice(error: ExpectedError) -> Iterable[str]:
    """Waldur's and Slurm's own words seldom say what is at fault, or whose they are."""
    if isinstance(error, WaldurError):
        yield "`check` shows whether Waldur answers, and what the agent may do there"
    elif isinstance(error, SlurmError):
        yield "`check` shows whether Slurm answers, and what the agent may do there"


def _secrets_in(environ: Environ) -> list[str]:
    """What the environment calls a secret, whether or not the settings are whole."""
    secret = (declared.name for declared in Settings.variables() if declared.is_secret)
    return [plain(environ.get(name, "")) for name in secret]
