"""The operator's command line: the only reader of the environment, here."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from datetime import timedelta

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.arguments import parse
from waldur_slurm.operator.companion.program import Places
from waldur_slurm.operator.companion.program import run as run_companion
from waldur_slurm.operator.composition import log_of, operator, resource_daemon
from waldur_slurm.operator.settings import Settings
from waldur_slurm.service.notify import Notifier
from waldur_slurm.service.program import run_program
from waldur_slurm.service.signals import ended_at_once, listening
from waldur_slurm.telemetry.events import Sink
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
    tell = log_of(settings, environ)
    match arguments.command:
        case "resource-daemon":
            return _run_daemon(arguments, settings, tell)
        case _:
            return _run_operator(settings, tell, _notifier(environ))


def _run_daemon(arguments: argparse.Namespace, settings: Settings, tell: Sink) -> int:
    daemon = resource_daemon(settings, tell)
    if arguments.once:
        return 0 if daemon.turn() else 1
    with listening() as signals:
        while not signals.is_stopping:
            daemon.turn()
            signals.wait(settings.nodes_every)
    return 0


def _run_operator(settings: Settings, tell: Sink, notifier: Notifier) -> int:
    """Look after SlurmJobs until somebody asks it to stop."""
    with listening() as signals:
        parts = operator(settings, tell)
        with parts.store.running():
            notifier.ready()
            while not signals.is_stopping:
                notifier.alive()
                parts.site.refresh()
                signals.wait(min(settings.config_every, notifier.longest_sleep))
            notifier.stopping()
            parts.site.leave()
    return 0


def _notifier(environ: Mapping[str, str]) -> Notifier:
    told = environ.get("WATCHDOG_USEC", "")
    watchdog = timedelta(microseconds=int(told)) if told.isdecimal() else None
    return Notifier(environ.get("NOTIFY_SOCKET", ""), watchdog)


def _advice(_arguments: argparse.Namespace, _error: ExpectedError) -> Iterable[str]:
    return ()


if __name__ == "__main__":
    sys.exit(main())
