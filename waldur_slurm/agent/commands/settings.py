"""`settings`: what is in force, and what looks like a setting and is none."""

import argparse

from waldur_slurm.agent.commands import OK, display_of
from waldur_slurm.agent.composition import Parts


def settings(parts: Parts, arguments: argparse.Namespace) -> int:
    display = display_of(parts)
    shown = dict(parts.settings.shown())
    if arguments.json:
        display.json({"settings": shown, "warnings": parts.warnings})
        return OK
    display.table(("variable", "value"), shown.items())
    for text in parts.warnings:
        display.line(f"warning: {text}")
    return OK
