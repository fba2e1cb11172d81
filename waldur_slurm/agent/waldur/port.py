"""What the project may ask of Waldur, whichever dialect it speaks.

Every `tell_*` can be repeated without a second effect. `WaldurUnreachable` means that nothing may
be concluded; `WaldurRejected` that Waldur said no; `UnexpectedPayload` that it broke its contract.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from waldur_slurm.agent.model.components import Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Offering,
    OfferingUser,
    Order,
    OrderUuid,
    ProjectAccount,
    Resource,
    ResourceUuid,
    Unreadable,
    UsagePolicy,
    UserUuid,
)
from waldur_slurm.agent.model.rights import Rights
from waldur_slurm.model.period import Month


class Marketplace(Protocol):
    """The offering's orders, resources, people, usage and components."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def server_time(self) -> datetime | None:
        """The server's `Date` with its latest answer, or None before the first one."""
        ...

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """What the latest lists of resources, people and teams held and nobody can read."""
        ...

    def read_offering(self) -> Offering: ...

    def read_orders(self) -> tuple[Order, ...]:
        """Orders that wait for the provider or are being executed, oldest first."""
        ...

    def read_order(self, order: OrderUuid) -> Order: ...

    def approve_order(self, order: OrderUuid) -> None: ...

    def reject_order(self, order: OrderUuid, reason: str) -> None: ...

    def tell_order_message(self, order: OrderUuid, message: str) -> None:
        """Let the customer of an order that waits for the provider read a word about it.

        For an offering that passes messages, on `today`; the other dialects have no place for it.
        """
        ...

    def tell_order_done(self, order: OrderUuid) -> None:
        """Complete an executing order; one that is done already stays as it is.

        An order in any other state is `WaldurRejected`.
        """
        ...

    def tell_order_erred(self, order: OrderUuid, message: str) -> None:
        """Err an order that is still executing; never touches one that is not."""
        ...

    def read_resources(self) -> tuple[Resource, ...]:
        """All resources of the offering that are not terminated."""
        ...

    def read_resource(self, resource: ResourceUuid) -> Resource: ...

    def read_members(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        """Who is in each resource's project; a resource that is missing is unknown, not empty."""
        ...

    def read_teams(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        """The same for a few resources, each project asked for by itself.

        What cannot be read is an error: who asks about a few leaves it to who reads all.
        """
        ...

    def member_names(self, users: Collection[UserUuid]) -> Mapping[UserUuid, str]:
        """What these people are called in Waldur, where the last reading of members told it.

        It is forgotten with the answer.
        """
        ...

    def read_offering_users(self) -> tuple[OfferingUser, ...]: ...

    def read_project_accounts(self) -> tuple[ProjectAccount, ...]:
        """Accounts of services and courses in the projects that have something of the offering.

        Where Waldur does not let the token see them, `unreadable` says so: unknown is not none.
        """
        ...

    def read_offering_users_of(self, users: Collection[UserUuid]) -> tuple[OfferingUser, ...]:
        """The offering users that these people are, in whatever state."""
        ...

    def tell_offering_user(self, user: UserUuid) -> None:
        """Make somebody an offering user, without a user name; who is one already stays as is."""
        ...

    def tell_offering_user_deleted(self, offering_user: str) -> None:
        """Say that one whose deletion Waldur asked for is deleted; `today` alone asks for that."""
        ...

    def tell_backend_id(self, resource: Resource, backend_id: str) -> None: ...

    def tell_limits(self, resource: Resource, limits: Mapping[ComponentType, int]) -> None: ...

    def tell_work_begun(self, resource: Resource) -> None:
        """Where the dialect has a hidden allocation, move it on; nothing to do elsewhere."""
        ...

    def tell_resource_ok(self, resource: Resource) -> None: ...

    def tell_resource_erred(self, resource: Resource, message: str) -> None: ...

    def read_associations(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[str]] | None:
        """User names that Waldur shows in each resource; None where the dialect has no list."""
        ...

    def tell_association(self, resource: Resource, username: str) -> None: ...

    def tell_no_association(self, resource: Resource, username: str) -> None: ...

    def tell_memberships(self, resource: Resource, usernames: Collection[str]) -> None:
        """Who of the team has arrived: all of them at once.

        For an offering that wants to know, in the dialect without a list of associations; the
        other dialects have nothing to do.
        """
        ...

    def read_usages(self, month: Month) -> tuple[HeldUsage, ...]: ...

    def read_user_usages(
        self, month: Month, usages: Collection[HeldUsage]
    ) -> tuple[HeldUserUsage, ...]:
        """What people's shares are held of `usages`, which are the month's."""
        ...

    def tell_usage(
        self,
        resource: Resource,
        amounts: Mapping[ComponentType, Decimal],
        *,
        on: datetime | None = None,
    ) -> None:
        """Overwrite the month's usage: of `on` where the dialect takes a date, else the current."""
        ...

    def tell_user_usages(
        self, usage: HeldUsage, amounts: Mapping[str, Decimal]
    ) -> Mapping[str, str]:
        """Overwrite one component's usage by person; the answer names who was refused and why."""
        ...

    def create_component(self, component: Component) -> None: ...

    def update_component(self, offered: OfferedComponent, component: Component) -> None: ...

    def read_usage_policies(self) -> tuple[UsagePolicy, ...]:
        """Policies that steer what the offering's allocations may use in each period."""
        ...

    def register_agent(self, version: str, direction: str, *, has_started: bool = True) -> None:
        """Let providers see this agent in Waldur, where it has a place for that.

        Without `has_started` only that it is alive: its last start stays as it was told.
        """
        ...

    def read_rights(self) -> Rights:
        """The token's roles: those that concern the offering, and others."""
        ...
