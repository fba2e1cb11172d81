"""What was not carried out, and why. Values only."""

from waldur_slurm.agent.pull.vocabulary.steps import Step
from waldur_slurm.agent.report import findings
from waldur_slurm.errors import SlurmError

Failure = findings.Failure[Step]
"""One step of pull's that was not carried out."""


class NotYet(SlurmError):
    """Something has to happen first that is only a matter of time."""

    transient = True


class HomeNotMade(SlurmError):
    """What makes homes did not run to its end, which says nothing about Slurm."""


class NotConfirmed(SlurmError):
    """Slurm said yes, and the next reading does not show it."""
