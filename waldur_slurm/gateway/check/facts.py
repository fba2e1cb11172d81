"""What the gateway's `check` knows: every fact is read once, and one that cannot be is its error.

Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waldur_slurm.gateway.doors.networks import TrustedNetwork
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.past import Person
from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.known import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFacts:
    """What the settings say, as far as it is judged."""

    user: str
    """Who typed `check`, by the system's name for him."""
    unit_user: str = ""
    """Whom systemd starts the gateway as, where its unit is known."""
    is_root: bool
    env_file: str = ""
    warnings: tuple[str, ...] = ()
    jobs_age_s: float
    acts: bool
    reads_as: str
    """Whom Slurm is read as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """`asked` and `told` are one moment by this host's clock and by slurmctld's."""

    name: str
    configuration: Known[Mapping[str, str]]
    private: Known[tuple[str, ...]] = ()
    people: Known[tuple[Person, ...]] = ()
    asked: datetime
    told: Known[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandFacts:
    """How the hand answered in a user's name."""

    executor: str
    user: str
    """Empty where nobody is known whom it may act as."""
    why_nobody: str = ""
    answer: Known[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerFacts:
    """An address of `GATEWAY_LISTEN`: who is there, or why nobody can be."""

    address: str
    is_open: bool
    """Whether what is said there can be read on the way."""
    found: Known[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorFacts:
    anonymous: frozenset[Scope] = frozenset()
    networks: tuple[TrustedNetwork, ...] = ()
    tokens: Known[int] | None = None
    """How many are valid; None where nobody could look."""
    has_issuer: bool = False
    issuer: Known[int] = 0
    """How many keys it publishes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkFacts:
    """A way out for letters; what was answered when it was greeted, or its error."""

    method: str
    answer: Known[str]
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    settings: SettingsFacts
    reading: Known[str]
    """By which way Slurm's commands are run that only read."""
    clusters: Sequence[ClusterFacts]
    hand: HandFacts | None
    slurmrestd: Known[str] | None
    places: Mapping[str, str | Obstacle]
    """What the gateway must be able to write, by its variable."""
    database: Known[str] | None
    """None where there is none yet."""
    secret: Known[bool]
    """Whether it is there."""
    listeners: Sequence[ListenerFacts]
    certificate: Known[str] | None
    doors: DoorFacts
    sinks: Sequence[SinkFacts]
