"""Carries out what was typed at a terminal by asking a gateway, wherever it is.

Nothing of a gateway's own is imported here: this runs on any machine, and starts at once.
"""

import argparse
from collections.abc import Callable, Mapping

from waldur_slurm.gateway.cli.exits import advice_of, code_of_error
from waldur_slurm.gateway.cli.place import read_place
from waldur_slurm.gateway.cli.terminal import Terminal, standard_streams
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.errors import GatewayError
from waldur_slurm.telemetry.redaction import redaction

Command = Callable[[Gateway, Terminal, argparse.Namespace], int]


def run(arguments: argparse.Namespace, environ: Mapping[str, str], hidden: list[str]) -> int:
    """Ask the gateway that was named; `hidden` learns the token."""
    out, err = standard_streams()
    place = read_place(vars(arguments), environ)
    if place.token:
        hidden.append(place.token)
    terminal = Terminal(out, err, environ, redaction(hidden))
    if place.is_overheard:
        terminal.say(f"slurm-gateway: {place.url} has no TLS: others can read the token on its way")
    with place.open(arguments.patience) as gateway:
        try:
            return find(arguments.asks)(gateway, terminal, arguments)
        except GatewayError as error:
            advice = advice_of(error)
            said = f"{error}; {advice}" if advice else str(error)
            terminal.say(f"slurm-gateway: {' '.join(said.split())}")
            return code_of_error(error)
        finally:
            out.flush()


def find(asks: str) -> Command:
    """Return what carries a command out; only its module is imported."""
    match asks:
        case "jobs" | "history" | "nodes" | "usage" | "me":
            from waldur_slurm.gateway.cli import lists

            found: Command = getattr(lists, f"list_{asks}")
        case "show" | "wait" | "cancel" | "steer" | "job_token":
            from waldur_slurm.gateway.cli import one_job

            found = getattr(one_job, asks)
        case "submit":
            from waldur_slurm.gateway.cli import submit

            found = submit.submit
        case "tail":
            from waldur_slurm.gateway.cli import tail

            found = tail.tail
        case _:
            from waldur_slurm.gateway.cli import files

            found = getattr(files, asks)
    return found
