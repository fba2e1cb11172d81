"""What is said of a cycle beside its changes, in the same words for both directions. Values.

A failure is a step that was tried; a refusal one that was not; drift is a difference that is only
shown. Each direction names its own kinds of the last two.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from waldur_slurm.errors import ExpectedError
from waldur_slurm.telemetry.events import Level

Step = TypeVar("Step", covariant=True)


@dataclass(frozen=True)  # with slots too, 3.11 cannot make one by the name `Failure[Step]`
class Failure(Generic[Step]):
    """One step that was not carried out; it was told where it happened."""

    step: Step
    error: ExpectedError


class RefusalKinds(StrEnum):
    """Why something is not done. A direction that has a brake calls it `brake`."""

    @property
    def is_brake(self) -> bool:
        return self.value == "brake"

    @property
    def level(self) -> Level:
        """How loudly it is told."""
        return Level.ERROR


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Something that is wanted and will not be done in this cycle."""

    kind: RefusalKinds
    subject: str
    reason: str


class DriftKinds(StrEnum):
    """In what the two sides differ."""


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """The two sides differ, and the agent does not change it unasked."""

    kind: DriftKinds
    subject: str
    found: str
    wanted: str


def refusal_record(refusal: Refusal) -> dict[str, object]:
    return {
        "kind": refusal.kind.value,
        "subject": refusal.subject,
        "reason": refusal.reason,
    }


def drift_record(drift: Drift) -> dict[str, object]:
    return {
        "kind": drift.kind.value,
        "subject": drift.subject,
        "found": drift.found,
        "wanted": drift.wanted,
    }
