"""What was not carried out, and why. Values only."""

from dataclasses import dataclass

from waldur_slurm.agent.pull.vocabulary.steps import Step
from waldur_slurm.errors import ExpectedError, SlurmError


@dataclass(frozen=True, slots=True)
class Failure:
    """One step that was not carried out."""

    step: Step
    error: ExpectedError


class NotYet(SlurmError):
    """Something has to happen first that is only a matter of time."""

    transient = True


class HomeNotMade(SlurmError):
    """What makes homes did not run to its end, which says nothing about Slurm."""


class NotConfirmed(SlurmError):
    """Slurm said yes, and the next reading does not show it."""
