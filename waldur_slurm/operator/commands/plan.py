"""`plan`: show what the next turns would do; changes nothing."""

import argparse

from waldur_slurm.operator.composition import Parts
from waldur_slurm.operator.jobs.render import OfCluster, code_of, to_json, to_text


def plan(parts: Parts, arguments: argparse.Namespace) -> int:
    """Answer with 0 nothing, 10 changes."""
    operator = parts.operator()
    config, _ = parts.read_config()
    snapshot = parts.list_slurm_jobs()
    cycles = [
        operator.cycle_of(each, config.clusters) for each in (None, *config.clusters.values())
    ]
    plans = [OfCluster(cycle.name, cycle.plan(snapshot)) for cycle in cycles]
    if arguments.json:
        parts.display.json(to_json(plans))
    else:
        parts.display.text(to_text(plans))
    return code_of(plans)
