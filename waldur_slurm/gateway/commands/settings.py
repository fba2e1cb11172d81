"""`slurm-gateway settings`: what is in force, and what looks like a setting and is none."""

import argparse

from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.settings.reference import unknown_variables


def run(parts: Parts, arguments: argparse.Namespace) -> int:
    shown = dict(parts.settings.shown())
    warnings = list(unknown_variables(parts.environ))
    if arguments.json:
        parts.display.json({"settings": shown, "warnings": warnings})
        return 0
    parts.display.table(("variable", "value"), shown.items())
    for text in warnings:
        parts.display.line(f"warning: {text}")
    return 0
