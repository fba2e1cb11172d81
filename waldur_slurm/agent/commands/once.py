"""`once`: run one cycle now, with what a person allows by typing it."""

import argparse

from waldur_slurm.agent.commands import alone, code_of, display_of, require_meant
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.daemon.cycle import run_audited
from waldur_slurm.agent.directions import carrier_of
from waldur_slurm.model.counting import counted


def once(parts: Parts, arguments: argparse.Namespace) -> int:
    require_meant(parts, arguments)
    with alone(parts):
        carrier = carrier_of(parts)
        report = run_audited(parts.audit, lambda: carrier.run(arguments))
    changes, failures = report.changes, len(report.failures)
    display_of(parts).line(f"{counted(changes, 'change')}, {counted(failures, 'failure')}")
    return code_of(report.failures)
