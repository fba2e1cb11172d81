"""Pull's kinds of refusal and drift, with the two findings that they are kinds of. Values."""

from waldur_slurm.agent.report.findings import Drift, DriftKinds, Refusal, RefusalKinds
from waldur_slurm.telemetry.events import Level

__all__ = ["Drift", "DriftKind", "Refusal", "RefusalKind"]


class RefusalKind(RefusalKinds):
    """Why something is not done now, and by that whose turn it is."""

    INVALID_ORDER = "invalid order"
    AWAITS_APPROVAL = "awaits approval"
    AWAITS_WALDUR = "awaits Waldur"
    """An order is approved, and Waldur's own worker has not done its part."""
    NOT_OURS = "not ours"
    SITE = "site"
    UNSAFE_NAME = "unsafe name"
    NO_UNIX_USER = "no unix user"
    NO_ACCESS = "no access"
    HELD = "held"
    UNREADABLE = "unreadable"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    ABSENT = "absent"
    """Slurm does not list an account that an order ends, and may be wrong."""
    UNAVAILABLE = "unavailable"
    """Waldur takes no change of the offering's resources."""
    QUARANTINED = "quarantined"
    BRAKE = "brake"

    @property
    def needs_a_person(self) -> bool:
        return self not in (
            RefusalKind.AWAITS_APPROVAL,
            RefusalKind.AWAITS_WALDUR,
            RefusalKind.WAITING,
            RefusalKind.UNKNOWN,
            RefusalKind.ABSENT,
            RefusalKind.NO_UNIX_USER,
            RefusalKind.HELD,
        )

    @property
    def level(self) -> Level:
        if self.is_brake:
            return Level.ERROR
        if self is RefusalKind.AWAITS_WALDUR:
            return Level.INFO
        if self is RefusalKind.UNREADABLE:  # told by whoever read it, in either direction
            return Level.DEBUG
        is_told = self.needs_a_person or self is RefusalKind.ABSENT
        return Level.WARNING if is_told else Level.DEBUG


class DriftKind(DriftKinds):
    PARENT = "parent"
    LIMITS = "limits"
    MISSING = "missing"
    ERRED = "erred"
    ORPHAN = "orphan"
    NOT_OURS = "not ours"
    BACKEND_ID = "backend id"
    QOS = "qos"
    HOLD = "hold"
    DEFAULT_ASSOCIATION = "default association"
    PARTITION_ASSOCIATION = "partition association"
