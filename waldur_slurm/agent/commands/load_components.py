"""`--load-components`: bring the offering's components in step with the TRES file."""

import argparse

from waldur_slurm.agent.commands import OK, display_of
from waldur_slurm.agent.components_sync import apply_components, plan_components
from waldur_slurm.agent.composition import Parts


def load_components(parts: Parts, arguments: argparse.Namespace) -> int:
    wanted = parts.components  # a mistake in the file is told before Waldur is asked for anything
    changes = plan_components(parts.marketplace.read_offering().components, wanted)
    if not arguments.dry_run:
        apply_components(changes, parts.marketplace)
    rows = [
        (change.action, change.component.type, "; ".join(map(str, change.differences)))
        for change in changes
    ]
    display = display_of(parts)
    display.table(("action", "component", "differences"), rows)
    if arguments.dry_run:
        display.line("Nothing was changed: this was a dry run.")
    return OK
