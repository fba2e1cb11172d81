"""What may be done for one SlurmJob, as values.

The steps of one SlurmJob are done in their order until one fails; what is left is decided anew from
what is found in the next turn. Of a job in Slurm no step says more than which one it is: that was
found by its mark, never taken from a status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waldur_slurm.operator.jobs.kube import Told
from waldur_slurm.operator.jobs.pods import Pod
from waldur_slurm.operator.jobs.port import JobRef, Stream, Wanted
from waldur_slurm.operator.jobs.words import Verb, Word


@dataclass(frozen=True, slots=True)
class Accept:
    """Hold the SlurmJob until its job is over, and write down for which cluster.

    `login` is whose ssh account it brings, where it brings one.
    """

    cluster: str
    login: str = ""


@dataclass(frozen=True, slots=True)
class Submit:
    """`said` is what its status says besides, once it is there."""

    wanted: Wanted
    cluster: str
    said: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    job: JobRef


@dataclass(frozen=True, slots=True)
class Steer:
    verb: Verb
    job: JobRef


@dataclass(frozen=True, slots=True)
class Keep:
    """Remember, before the SlurmJob is gone, that its job is left running on purpose, and where."""

    cluster: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """Hold the SlurmJob no longer."""


@dataclass(frozen=True, slots=True)
class Tell:
    told: Told


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of what a job wrote, to be read into a status."""

    job: JobRef
    streams: tuple[Stream, ...]
    """The first of them in which there is something."""


@dataclass(frozen=True, slots=True)
class SetStatus:
    status: Mapping[str, Any]
    tail: Tail | None = None


@dataclass(frozen=True, slots=True)
class MakeCompanion:
    """`instead_of` is one that died; it goes first."""

    job: JobRef
    attempt: int = 1
    instead_of: Pod | None = None


@dataclass(frozen=True, slots=True)
class ForgetToken:
    """Take away what opens the gateway to a companion that has ended."""


Step = (
    Accept | Submit | Cancel | Steer | Keep | LetGo | Tell | SetStatus | MakeCompanion | ForgetToken
)
