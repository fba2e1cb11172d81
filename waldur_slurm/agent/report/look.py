"""How a look between two cycles ended, as the daemon sees it. A value."""

from dataclasses import dataclass

from waldur_slurm.agent.report.report import Report


@dataclass(frozen=True, slots=True)
class Look:
    report: Report | None = None
    """What was done; None where there was nothing new."""
    is_cycle_wanted: bool = False
    """Whether what is new takes a cycle that sees everything, at once."""
