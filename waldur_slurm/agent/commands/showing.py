"""`settings`: what is in force, and what looks like a setting and is none."""

import argparse

from waldur_slurm.agent.commands import OK, display_of
from waldur_slurm.agent.composition import Site


def settings(site: Site, arguments: argparse.Namespace) -> int:
    display = display_of(site)
    shown = dict(site.settings.shown())
    if arguments.json:
        display.json({"settings": shown, "warnings": site.warnings})
        return OK
    display.table(("variable", "value"), shown.items())
    for text in site.warnings:
        display.line(f"warning: {text}")
    return OK
