"""What became of jobs from one picture to the next, as it is kept and told. Pure.

`left` is no end: slurmctld forgets a job minutes after it, and all where it loses its state.
A job whose end was listed before it left is told as ended once, not again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from waldur_slurm.gateway.picture.changes import Came, Change, Left, Turned


class Kind(StrEnum):
    CAME = "came"
    TURNED = "turned"
    LEFT = "left"
    GAP = "gap"
    """The gateway did not look for a while: whoever follows should read the list again."""


@dataclass(frozen=True, slots=True)
class Transition:
    """`at` is when the picture was taken that shows it; texts of a gap are empty."""

    at: datetime
    cluster: str
    kind: Kind
    job_id: str = ""
    submitted: datetime | None = None
    user: str = ""
    before: str = ""
    state: str = ""
    is_terminal: bool = False
    outcome: str = ""


class Numbered(NamedTuple):
    """A transition that is kept; later ones have higher numbers."""

    number: int
    transition: Transition


class Transitions(Protocol):
    """The log of transitions, as long as it is kept."""

    def add(self, transitions: Sequence[Transition]) -> tuple[Numbered, ...]:
        """Return once they are safe."""
        ...

    def after(self, number: int, limit: int) -> tuple[Numbered, ...]:
        """Return the oldest ones with a higher number."""
        ...

    def bounds(self) -> tuple[int, int]:
        """Return the lowest and the highest number that is kept; both 0 where there is none."""
        ...

    def forget(self, before: datetime) -> None: ...


def transitions(changes: Iterable[Change], cluster: str, at: datetime) -> Iterator[Transition]:
    for change in changes:
        job = change.job
        before = ""
        match change:
            case Came():
                kind = Kind.CAME
            case Turned(known, _):
                kind, before = Kind.TURNED, str(known.state)
            case Left():
                kind = Kind.LEFT
        outcome = job.state.outcome
        yield Transition(
            at=at,
            cluster=cluster,
            kind=kind,
            job_id=str(job.id),
            submitted=job.submitted,
            user=job.user,
            before=before,
            state=str(job.state),
            is_terminal=job.state.is_terminal,
            outcome=outcome.value if outcome else "",
        )
