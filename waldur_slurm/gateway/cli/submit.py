"""Hands a job in, once: by a key that is made once, and said before anything is asked."""

import argparse
import secrets
import sys
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.cli.exits import DONE, NOT_OVER, TRY_AGAIN, code_of_job
from waldur_slurm.gateway.cli.jobs import ended
from waldur_slurm.gateway.cli.one_job import awaited
from waldur_slurm.gateway.cli.submit_options import options_of
from waldur_slurm.gateway.cli.terminal import Terminal
from waldur_slurm.gateway.cli.words import moment
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.errors import TryLater


def submit(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    """Print the job's number alone to standard output, so that a script can take it."""
    script = read_script(arguments.script)
    if arguments.dry_run:
        return _try_out(gateway, terminal, arguments, script)
    key = arguments.key or f"cli-{secrets.token_hex(8)}"
    if not arguments.key:
        terminal.say(f"Its key is {key}: the same command with --key {key} never makes a second.")
    try:
        with terminal.waiting("handing it in"):
            placed = gateway.submit(
                script,
                key=key,
                options=options_of(arguments),
                environment=_environment(arguments.env),
                user=arguments.user,
                mark=arguments.mark,
            )
    except TryLater as error:
        terminal.say(
            f"slurm-gateway: it is not known whether there is a job: {error};"
            f" the same command with --key {key} finds out, and never makes two"
        )
        return TRY_AGAIN
    terminal.say(f"Handed in as job {placed.job_id} of {placed.cluster}.")
    if not arguments.wait:
        if arguments.json:
            terminal.json(placed)
        else:
            terminal.line(placed.job_id)
        return DONE
    return _wait(gateway, terminal, arguments, placed.job_id)


def read_script(name: str) -> str:
    """Read it from its file, or from standard input; it has to be UTF-8, as JSON has it."""
    try:
        if name == "-":
            return sys.stdin.buffer.read().decode()
        return Path(name).read_bytes().decode()
    except OSError as error:
        raise SettingsError([f"the script {name} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"the script {name} is no UTF-8 text"]) from None


def _wait(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace, job_id: str) -> int:
    job, is_reached = awaited(gateway, terminal, job_id, arguments)
    if arguments.json:
        terminal.json(job)
    else:
        terminal.line(job_id)
        terminal.say(ended(job))
    return code_of_job(job) if is_reached else NOT_OVER


def _try_out(
    gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace, script: str
) -> int:
    found = gateway.try_out(script, options=options_of(arguments), user=arguments.user)
    if arguments.json:
        terminal.json(found)
        return DONE
    terminal.line(
        f"It would be taken, and start at {moment(found.starts)} in {found.partition},"
        f" with {found.processors} CPUs on {found.nodes}. Nothing was handed in."
    )
    return DONE


def _environment(pairs: list[str]) -> dict[str, str] | None:
    if not pairs:
        return None
    wrong = [pair for pair in pairs if "=" not in pair or pair.startswith("=")]
    if wrong:
        raise SettingsError([f"--env {pair}: expected NAME=VALUE" for pair in wrong])
    return dict(pair.split("=", 1) for pair in pairs)
