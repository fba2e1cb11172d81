"""`plan`: show what the next cycle would do; changes nothing."""

import argparse

from waldur_slurm.agent.commands import display_of, require_meant
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.directions import carrier_of


def plan(parts: Parts, arguments: argparse.Namespace) -> int:
    """Answer with 0 nothing, 10 changes, 11 drift only."""
    require_meant(parts, arguments)
    planned = carrier_of(parts).plan(arguments)
    display = display_of(parts)
    if arguments.json:
        display.json(planned.data)
    else:
        display.text(planned.text)
    return planned.code
