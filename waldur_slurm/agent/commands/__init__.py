"""What each command does: read or change, show, and answer with an exit code.

A command is imported when it is typed, and with it only what it needs.
"""

import argparse
import importlib
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.daemon.alone import only_agent
from waldur_slurm.agent.daemon.show import Display
from waldur_slurm.agent.report.findings import Failure
from waldur_slurm.agent.settings import Direction
from waldur_slurm.errors import SettingsError

OK = 0
FAILED = 1
TRY_AGAIN = 75

Command = Callable[[Parts, argparse.Namespace], int]

_DAEMON = "daemon"
"""The command of whoever types none."""


def find(name: str | None) -> Command:
    """Import the command of that name, from the module of that name; None is the daemon."""
    word = (name or _DAEMON).replace("-", "_")
    command: Command = getattr(importlib.import_module(f"{__name__}.{word}"), word)
    return command


def typed_with(env_file: Path | None, text: str) -> str:
    """The text, in which each command line for the agent names the env file that was named."""
    if env_file is None:
        return text
    program = f"waldur-slurm-agent --env-file {shlex.quote(str(env_file))} "
    return re.sub(r"(?<![\w/.-])waldur-slurm-agent (?!--env-file)", lambda _: program, text)


def alone(parts: Parts) -> AbstractContextManager[None]:
    """Be the only agent for this offering and direction, or say who is."""
    told = parts.settings
    return only_agent(
        told.state_dir,
        offering=told.offering_uuid,
        direction=told.direction,
        command=parts.command,
    )


def display_of(parts: Parts) -> Display:
    return Display(sys.stdout, parts.redact)


def code_of(failures: Iterable[Failure[object]]) -> int:
    """How a piece of work ended in which some items may have failed."""
    transient = [failure.error.transient for failure in failures]
    if not transient:
        return OK
    return TRY_AGAIN if all(transient) else FAILED


def require(parts: Parts, direction: Direction, why: str) -> None:
    """Refuse a command, or an option, that means nothing in the direction that was set."""
    found = parts.settings.direction
    if found is not direction:
        raise SettingsError(
            [f"WALDUR_SYNC_DIRECTION: found {found.value!r}, expected {direction.value}: {why}"]
        )


def require_meant(parts: Parts, arguments: argparse.Namespace) -> None:
    """Refuse consent that the other direction would have to be given, before somebody relies on it.

    It would be taken in silence otherwise, and nothing that was wanted would be done.
    """
    for option, (name, direction) in _CONSENTS.items():
        if getattr(arguments, option):
            require(parts, direction, f"{name} is for {direction.value}.env")
    for repair in arguments.repair:
        direction = Direction.PUSH if repair == "erred" else Direction.PULL
        require(parts, direction, f"--repair {repair} is for {direction.value}.env")


_CONSENTS = {
    "allow_removals": ("--allow-removals", Direction.PULL),
    "remove_empty_now": ("--remove-empty-now", Direction.PULL),
    "allow_decrease": ("--allow-decrease", Direction.PUSH),
}
