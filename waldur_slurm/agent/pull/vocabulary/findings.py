"""What a plan says beside its steps: what will not be done and why, and what differs untouched."""

from dataclasses import dataclass
from enum import StrEnum


class RefusalKind(StrEnum):
    """Why something is not done now, and by that whose turn it is."""

    INVALID_ORDER = "invalid order"
    AWAITS_APPROVAL = "awaits approval"
    NOT_OURS = "not ours"
    SITE = "site"
    UNSAFE_NAME = "unsafe name"
    NO_UNIX_USER = "no unix user"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"
    BRAKE = "brake"

    @property
    def needs_a_person(self) -> bool:
        return self not in (
            RefusalKind.AWAITS_APPROVAL,
            RefusalKind.WAITING,
            RefusalKind.UNKNOWN,
            RefusalKind.NO_UNIX_USER,
        )


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Something that is wanted and will not be done in this cycle."""

    kind: RefusalKind
    subject: str
    reason: str


class DriftKind(StrEnum):
    PARENT = "parent"
    LIMITS = "limits"
    MISSING = "missing"
    ORPHAN = "orphan"
    NOT_OURS = "not ours"
    BACKEND_ID = "backend id"
    QOS = "qos"
    HOLD = "hold"
    DEFAULT_ASSOCIATION = "default association"
    PARTITION_ASSOCIATION = "partition association"


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """The two sides differ, and it is not this agent's to change it unasked."""

    kind: DriftKind
    subject: str
    found: str
    wanted: str
