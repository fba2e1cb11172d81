"""The only things a push cycle tells Waldur. Values; `apply` gives them their meaning. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.model.period import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class TellUsage:
    """A month's usage, by component. `is_tried`: may be refused."""

    resource: Resource
    month: Month
    amounts: Mapping[ComponentType, Decimal]
    before: Mapping[ComponentType, Decimal] = field(default_factory=dict)
    beside: Mapping[ComponentType, Decimal] = field(default_factory=dict)
    """What Waldur holds already and is told again: its page forgets what a report leaves out."""
    on: datetime | None = None
    """A date in the month, where one can be sent if it must."""
    is_tried: bool = False
    split: frozenset[ComponentType] = frozenset()
    """Of what several rows are held: whether Waldur has made the total of them is read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellUserUsages:
    """One component's usage by person; told after the total that it is a part of."""

    resource: Resource
    month: Month
    component: ComponentType
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellLimits:
    resource: Resource
    limits: Mapping[ComponentType, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellAssociation:
    """Somebody came into the account, or left it."""

    resource: Resource
    username: str
    is_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TellMemberships:
    """Everybody who is in the account, for the dialect without a list of associations."""

    resource: Resource
    usernames: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellErred:
    """The account is gone from Slurm."""

    resource: Resource
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOk:
    """The account is back."""

    resource: Resource


Step = (
    TellUsage | TellUserUsages | TellLimits | TellAssociation | TellMemberships | TellErred | TellOk
)
