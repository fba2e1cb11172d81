"""The command line: the only reader of the environment, and where every error finds its exit code.

Data goes to standard output, everything else to standard error; neither ever shows a secret.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Iterable, MutableMapping, Sequence
from errno import ENOSPC
from functools import partial
from pathlib import Path
from types import TracebackType

from waldur_slurm.agent.arguments import parse
from waldur_slurm.agent.commands import FAILED, TRY_AGAIN, find, typed_with
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.settings import Settings
from waldur_slurm.errors import ExpectedError, SettingsError, SlurmError
from waldur_slurm.service.signals import Stopped, listening
from waldur_slurm.telemetry.lines import visible
from waldur_slurm.telemetry.redaction import redaction
from waldur_slurm.variables.env_file import read_env_file
from waldur_slurm.variables.variable import plain

WRONG_SETTINGS = 78
STOPPED = 130

_CHECK = "waldur-slurm-agent check"
_WITH_ENV_FILE = "waldur-slurm-agent --env-file /etc/waldur-slurm-service/pull.env check"

Environ = MutableMapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    _reopen_closed_streams()
    hidden = _secrets_in(os.environ)
    sys.excepthook = partial(_print_crash, hidden)
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments, os.environ, hidden)
    except SettingsError as error:
        lines = [*error.mistakes, *_where_settings_are(arguments, os.environ)]
        return _fail(WRONG_SETTINGS, lines, hidden)
    except ExpectedError as error:
        lines = [str(error), *(typed_with(arguments.env_file, line) for line in _advice(error))]
        return _fail(TRY_AGAIN if error.transient else FAILED, lines, hidden)
    except (Stopped, KeyboardInterrupt):
        return _fail(STOPPED, ["stopped; what was not done yet is left as it was"], hidden)
    except BrokenPipeError:
        _drop_output()
        return FAILED
    except OSError as error:
        if error.errno != ENOSPC:
            raise
        _drop_output()
        return _fail(FAILED, [f"the output cannot be written: {error.strerror}"], hidden)


def _reopen_closed_streams() -> None:
    """Whoever started us may have closed them; what is written there then goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
            setattr(sys, name, nowhere)


def _drop_output() -> None:
    """What is still buffered reaches nobody, and must not be tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


def _where_settings_are(arguments: argparse.Namespace, environ: Environ) -> Iterable[str]:
    """Who types a command seldom has in the shell what the service has in its env file."""
    is_service = "NOTIFY_SOCKET" in environ
    required = (declared.name for declared in Settings.variables() if declared.is_required)
    is_missing = any(not plain(environ.get(name, "")) for name in required)
    if is_missing and not is_service and arguments.env_file is None:
        yield f"settings that stand in a file are read with --env-file, as in: {_WITH_ENV_FILE}"


def _advice(error: ExpectedError) -> Iterable[str]:
    """Waldur's and Slurm's own words seldom say what is at fault, or whose they are."""
    if isinstance(error, WaldurError):
        yield f"`{_CHECK}` shows whether Waldur answers, and what the agent may do there"
    elif isinstance(error, SlurmError):
        yield f"`{_CHECK}` shows whether Slurm answers, and what the agent may do there"


def _fail(code: int, lines: Iterable[str], hidden: Iterable[str]) -> int:
    redact = redaction(hidden)
    for line in lines:
        sys.stderr.write(f"waldur-slurm-agent: {redact(visible(line))}\n")
    return code


def _print_crash(
    hidden: Iterable[str],
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
) -> None:
    """Print the traceback of a defect as Python does, but no secret that it may quote."""
    sys.stderr.write(redaction(hidden)("".join(traceback.format_exception(kind, error, trace))))


def _secrets_in(environ: Environ) -> list[str]:
    """What the environment calls a secret, whether or not the settings are whole."""
    secret = (declared.name for declared in Settings.variables() if declared.is_secret)
    return [plain(environ.get(name, "")) for name in secret]
