"""What a plan says beside its steps: why something is not done, and what is still owed. Values."""

from dataclasses import dataclass
from decimal import Decimal

from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.report.findings import Drift, DriftKinds, RefusalKinds
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month


class RefusalKind(RefusalKinds):
    """Why something is not told; the subject is mostly an account."""

    IN_DOUBT = "in-doubt"
    DECREASE = "decrease"
    BRAKE = "brake"
    CONTESTED = "contested"
    NOT_OFFERED = "not-offered"
    SPLIT = "split"
    UNAVAILABLE = "unavailable"
    ERRED = "erred"


class DriftKind(DriftKinds):
    LIMITS = "limits"


@dataclass(frozen=True, slots=True, order=True)
class LimitDrift(Drift):
    """Slurm enforces `found` of a component, and Waldur holds `wanted`."""

    component: ComponentType


@dataclass(frozen=True, slots=True, order=True)
class Owed:
    """Usage of a closed month that Waldur does not hold and will not take."""

    month: Month
    account: AccountName
    resource: ResourceUuid
    component: ComponentType
    measured: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True, order=True)
class Unlisted:
    """Somebody's usage that counts in the account's total; Waldur does not know the person."""

    month: Month
    account: AccountName
    user: UserName
