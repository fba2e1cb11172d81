"""What Waldur says of an offering: orders, resources, people, components, usage.

States and types that Waldur may add one day read as `OTHER`: nothing is done about them.
Limits stay as Waldur sent them: an absurd one is that order's trouble, decided in the plan.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.period import Month

CustomerUuid = NewType("CustomerUuid", str)
OfferingUuid = NewType("OfferingUuid", str)
OrderUuid = NewType("OrderUuid", str)
ProjectUuid = NewType("ProjectUuid", str)
ResourceUuid = NewType("ResourceUuid", str)
UserUuid = NewType("UserUuid", str)

RawLimits = Mapping[str, object]

_UUID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def canonical_uuid(text: str) -> str:
    """Waldur's uuids in one spelling, or `InvalidName`; asked once, where answers are read."""
    uuid = text.replace("-", "").lower()
    if _UUID.fullmatch(uuid) is None:
        raise InvalidName(f"not a uuid: {text[:80]!r}")
    return uuid


class Dialect(StrEnum):
    """Which of Waldur's interfaces answers: see docs/waldur-contract.md."""

    TODAY = "today"
    TRANSITION = "transition"
    CLASSIC = "classic"

    @property
    def users_option(self) -> str:
        """The offering's option without which nobody becomes an offering user, and its place."""
        place = "plugin_options" if self is Dialect.TODAY else "secret_options"
        return f"service_provider_can_create_offering_user in the offering's {place}"

    @property
    def takes_dates(self) -> bool:
        """Whether usage can be told for another month than the server's current one."""
        return self is Dialect.TODAY


class OrderType(StrEnum):
    CREATE = "Create"
    UPDATE = "Update"
    TERMINATE = "Terminate"
    RESTORE = "Restore"
    OTHER = "other"


class OrderState(StrEnum):
    PENDING_CONSUMER = "pending-consumer"
    PENDING_PROVIDER = "pending-provider"
    EXECUTING = "executing"
    DONE = "done"
    ERRED = "erred"
    CANCELED = "canceled"
    REJECTED = "rejected"
    OTHER = "other"


class ResourceState(StrEnum):
    CREATING = "Creating"
    OK = "OK"
    ERRED = "Erred"
    UPDATING = "Updating"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Where a resource belongs. Slugs are empty where a dialect's list does not tell them."""

    uuid: ProjectUuid
    name: str
    slug: str
    customer_uuid: CustomerUuid
    customer_name: str
    customer_slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A customer's wish. `resource` is None until Waldur has made the resource."""

    uuid: OrderUuid
    type: OrderType
    state: OrderState
    created: datetime
    resource: ResourceUuid | None
    resource_name: str
    project: Project
    limits: RawLimits = field(default_factory=dict)
    message: str = ""
    """What the provider has told the customer while the order waits; `today` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One allocation as Waldur holds it.

    `allocation_uuid` is the hidden allocation of the older dialects, which Waldur makes a moment
    after approval; empty on `today`, and elsewhere until it is there.
    """

    uuid: ResourceUuid
    name: str
    slug: str
    state: ResourceState
    backend_id: str
    project: Project
    limits: RawLimits = field(default_factory=dict)
    allocation_uuid: str = ""
    has_order_in_flight: bool = False
    is_paused: bool = False
    is_downscaled: bool = False
    is_restricted: bool = False
    ends_on: date | None = None
    """The day on which Waldur ends it by an order of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePolicy:
    """A policy of Waldur's that steers what allocations may use in each period. `today` only."""

    limit_type: str
    carries_over: bool
    resets_usage: bool
    governs: tuple[ComponentType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferingUser:
    """A person's user name in this offering. `is_usable`: not blank, not restricted, state OK."""

    user: UserUuid
    username: str
    is_usable: bool
    why_not: str = ""
    """Where it is not usable, in words for who runs the site."""
    is_leaving: bool = False
    """Waldur is taking it away, or has: its person counts as one who left."""
    to_be_deleted: str = ""
    """Its own uuid, while Waldur waits to hear that it is deleted."""


@dataclass(frozen=True, slots=True)
class ProjectAccount:
    """An account of a project that is nobody's own: a service's, or a course's. `today` only."""

    project: ProjectUuid
    person: OfferingUser


class RowKind(StrEnum):
    RESOURCE = "resource"
    OFFERING_USER = "offering user"
    PROJECT_ACCOUNT = "project account"
    TEAM = "team"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Unreadable:
    """One thing that breaks Waldur's contract: it is left alone, and everything else goes on.

    `uuid` is a team's resource. `user` and `username` are an offering user's, where they are told.
    """

    kind: RowKind
    uuid: str
    error: str
    user: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedComponent:
    """A component as the offering holds it; compared with the TRES file's entries."""

    uuid: str
    type: ComponentType
    name: str
    measured_unit: str
    billing_type: AccountingType | str
    limit_amount: int | float | None
    limit_period: str | None = None
    description: str = ""
    article_code: str = ""
    min_value: int | float | None = None
    max_value: int | float | None = None


@dataclass(frozen=True, slots=True)
class OfferedPlan:
    """One of the offering's tariffs, with the components that it gives a price, be it 0."""

    uuid: str
    name: str
    priced: frozenset[ComponentType]
    is_used: bool = True
    """Whether anybody may order it, or has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """The offering that this agent serves."""

    uuid: OfferingUuid
    name: str
    state: str
    customer_uuid: CustomerUuid
    components: tuple[OfferedComponent, ...]
    plans: tuple[OfferedPlan, ...] = ()
    wants_memberships: bool = False
    """Whether it lets the agent say whose access has arrived."""
    passes_messages: bool = False
    """Whether customers see what the provider says of an order that waits for approval."""

    @property
    def is_unavailable(self) -> bool:
        """Whether the provider has closed it: Waldur takes no change of its resources then."""
        return self.state == "Unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUsage:
    """Usage that Waldur already holds for one component of one resource in one month.

    `is_of_total`: a report is the month's total, and where a change of plan has made several rows,
    Waldur itself takes what the others hold from it. Elsewhere nobody knows what it overwrites.
    """

    uuid: str
    resource: ResourceUuid
    component: ComponentType
    month: Month
    amount: Decimal
    is_of_total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUserUsage:
    """The same for one person; `usage` is the `HeldUsage` it is a part of."""

    usage: str
    resource: ResourceUuid
    component: ComponentType
    month: Month
    username: str
    amount: Decimal
