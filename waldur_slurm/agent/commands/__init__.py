"""What each command does with a site: read or change, show, and answer with an exit code.

A command is imported when it is typed, and with it only what it needs.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Protocol

from waldur_slurm.agent.composition import Site
from waldur_slurm.agent.daemon.show import Display
from waldur_slurm.errors import ExpectedError

OK = 0
FAILED = 1
TRY_AGAIN = 75

Command = Callable[[Site, argparse.Namespace], int]

_MODULES = {
    None: "running:daemon",
    "once": "running:once",
    "plan": "running:plan",
    "adopt": "running:adopt",
    "check": "checking:check",
    "settings": "showing:settings",
    "load-components": "selling:load_components",
    "usage": "using:usage",
    "backfill": "using:backfill",
}


class Failed(Protocol):
    """One item that went wrong by itself."""

    @property
    def error(self) -> ExpectedError: ...


def find(name: str | None) -> Command:
    """Import the command of that name; None is the daemon."""
    module, _, function = _MODULES[name].partition(":")
    command: Command = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return command


def display_of(site: Site) -> Display:
    return Display(sys.stdout, site.redact)


def code_of(failures: Iterable[Failed]) -> int:
    """How a piece of work ended in which some items may have failed."""
    transient = [failure.error.transient for failure in failures]
    if not transient:
        return OK
    return TRY_AGAIN if all(transient) else FAILED
