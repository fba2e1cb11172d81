"""Waldur in memory: the marketplace's rules without its wire, held to the stand-in.

`tests/contract_waldur` runs one suite over this and over the real adapter. Beside the port there
are a customer's hands (`place_*`, `add_member`, ...), a record of what was written, and faults.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from tests.fakes.faults import Faulty, Write, answers
from tests.fakes.waldur_ledger import Ledger
from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected
from waldur_slurm.agent.model.components import Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Offering,
    OfferingUser,
    Order,
    OrderState,
    OrderUuid,
    ProjectAccount,
    Resource,
    ResourceState,
    ResourceUuid,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.model.rights import Rights, Role
from waldur_slurm.model.period import Month


@dataclass(kw_only=True)
class FakeMarketplace(Ledger, Faulty):
    """Implements `waldur_slurm.agent.waldur.port.Marketplace`."""

    unreadable_teams: set[ResourceUuid] = field(default_factory=set)
    refuses_past_months: bool = True
    is_owned: bool = True
    """Whether the token is the provider's owner's, and not a manager's."""
    managers_read_usage: bool = False
    governed: frozenset[ComponentType] = frozenset()
    makes_totals: bool = False
    """Whether a report is the month's total, of which a plan that is over keeps its row."""
    lets_make_users: bool = True
    _server_time: datetime | None = None

    unreadable: tuple[Unreadable, ...] = ()

    @property
    def server_time(self) -> datetime | None:
        return self._server_time

    def answered(self) -> None:
        self._server_time = self.now

    # Orders

    @answers
    def read_offering(self) -> Offering:
        return self.offering

    @answers
    def read_orders(self) -> tuple[Order, ...]:
        waiting = {OrderState.PENDING_PROVIDER, OrderState.EXECUTING}
        found = (order for order in self.orders.values() if order.state in waiting)
        return tuple(sorted(found, key=lambda order: (order.created, order.uuid)))

    @answers
    def read_order(self, order: OrderUuid) -> Order:
        return self._order(order)

    @answers
    def approve_order(self, order: OrderUuid) -> None:
        if self._order(order).state is OrderState.EXECUTING:
            return
        self._require(order, OrderState.PENDING_PROVIDER)
        self.note("approve_order", order)
        self.begin(order)

    @answers
    def reject_order(self, order: OrderUuid, reason: str) -> None:
        if self._order(order).state is OrderState.REJECTED:
            return
        self._require(order, OrderState.PENDING_PROVIDER)
        self.note("reject_order", order, reason)
        self.reject(order)

    @answers
    def tell_order_message(self, order: OrderUuid, message: str) -> None:
        if self.dialect is not Dialect.TODAY:
            return
        if not self.offering.passes_messages:
            raise WaldurRejected(f"order {order}", 409, "Messages are not enabled.")
        self._require(order, OrderState.PENDING_PROVIDER)
        self.note("tell_order_message", order, message)
        self.orders[order] = replace(self.orders[order], message=message)

    @answers
    def tell_order_done(self, order: OrderUuid) -> None:
        if self._order(order).state is OrderState.DONE:
            return
        self._require(order, OrderState.EXECUTING)
        self.note("tell_order_done", order)
        self.complete(order)

    @answers
    def tell_order_erred(self, order: OrderUuid, message: str) -> None:
        if self._order(order).state is not OrderState.EXECUTING:
            return
        self.note("tell_order_erred", order, message)
        self.err(order)

    # Resources

    @answers
    def read_resources(self) -> tuple[Resource, ...]:
        gone = ResourceState.TERMINATED
        return tuple(self._shown(r) for r in self.resources.values() if r.state is not gone)

    @answers
    def read_resource(self, resource: ResourceUuid) -> Resource:
        if resource not in self.resources:
            raise WaldurRejected(f"resource {resource}", 404, "No Resource matches.")
        return self._shown(self.resources[resource])

    @answers
    def tell_backend_id(self, resource: Resource, backend_id: str) -> None:
        self._require_available()
        self.note("tell_backend_id", resource.uuid, backend_id)
        self._change(resource, backend_id=backend_id)

    @answers
    def tell_limits(self, resource: Resource, limits: Mapping[ComponentType, int]) -> None:
        """A policy of the offering keeps what it governs, and says nothing of it."""
        self._require_available()
        offered = {component.type for component in self.offering.components}
        unknown = set(limits) - offered
        if unknown and self.dialect is Dialect.TODAY:
            raise WaldurRejected("set limits", 400, f"Invalid types: {', '.join(sorted(unknown))}")
        self.note("tell_limits", resource.uuid, dict(limits))
        before = self.resources[resource.uuid].limits
        kept = {kind: before[kind] for kind in self.governed if kind in before}
        self._change(resource, limits={**limits, **kept})

    @answers
    def tell_work_begun(self, resource: Resource) -> None:
        if self.dialect is not Dialect.TODAY:
            self.note("tell_work_begun", resource.uuid)
            self.begun.add(resource.uuid)

    @answers
    def tell_resource_ok(self, resource: Resource) -> None:
        self._require_available()
        self.note("tell_resource_ok", resource.uuid)
        self.settle(resource.uuid)

    @answers
    def tell_resource_erred(self, resource: Resource, message: str) -> None:
        self._require_available()
        self.note("tell_resource_erred", resource.uuid, message)
        self._change(resource, state=ResourceState.ERRED)

    # People

    @answers
    def read_members(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        return {
            resource.uuid: self._team(resource)
            for resource in resources
            if resource.uuid not in self.unreadable_teams
        }

    @answers
    def read_teams(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        if self.unreadable_teams & {resource.uuid for resource in resources}:
            raise UnexpectedPayload("a team that cannot be read")
        return {resource.uuid: self._team(resource) for resource in resources}

    @answers
    def read_offering_users_of(self, users: Collection[UserUuid]) -> tuple[OfferingUser, ...]:
        return tuple(each for each in self.offering_users.values() if each.user in users)

    @answers
    def read_project_accounts(self) -> tuple[ProjectAccount, ...]:
        return tuple(self.project_accounts)

    @answers
    def read_offering_users(self) -> tuple[OfferingUser, ...]:
        return tuple(self.offering_users.values())

    def member_names(self, users: Collection[UserUuid]) -> Mapping[UserUuid, str]:
        return {user: f"{user[-4:]}-at-home" for user in users}

    @answers
    def tell_offering_user(self, user: UserUuid) -> None:
        if not self.lets_make_users:
            said = "It is not allowed to create users for current offering."
            raise WaldurRejected("offering users", 400, said)
        if user not in self.offering_users:
            self.note("tell_offering_user", user)
            self.name_user(user, "")

    @answers
    def read_associations(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[str]] | None:
        if self.dialect is Dialect.TODAY:
            return None
        return {r.uuid: frozenset(self.associations.get(r.uuid, set())) for r in resources}

    @answers
    def tell_association(self, resource: Resource, username: str) -> None:
        if self.dialect is Dialect.TODAY:
            return
        self.note("tell_association", resource.uuid, username)
        self.associations.setdefault(resource.uuid, set()).add(username)

    @answers
    def tell_no_association(self, resource: Resource, username: str) -> None:
        if self.dialect is Dialect.TODAY:
            return
        self.note("tell_no_association", resource.uuid, username)
        self.associations.setdefault(resource.uuid, set()).discard(username)

    @answers
    def tell_memberships(self, resource: Resource, usernames: Collection[str]) -> None:
        if self.dialect is not Dialect.TODAY:
            return
        if not self.offering.wants_memberships:
            raise WaldurRejected("tell_memberships", 409, "the offering does not enable it")
        self._require_available()
        self.note("tell_memberships", resource.uuid, frozenset(usernames))

    # Usage

    @answers
    def read_usages(self, month: Month) -> tuple[HeldUsage, ...]:
        if self.dialect is Dialect.TODAY and not (self.is_owned or self.managers_read_usage):
            return ()
        rows = (*self.usages.values(), *self.usages_in_other_plans)
        return tuple(
            replace(usage, is_of_total=self.makes_totals) for usage in rows if usage.month == month
        )

    @answers
    def read_user_usages(
        self, month: Month, usages: Collection[HeldUsage]
    ) -> tuple[HeldUserUsage, ...]:
        held = {usage.uuid for usage in usages}
        return tuple(
            each for each in self.user_usages.values() if each.month == month and each.usage in held
        )

    @answers
    def tell_usage(
        self,
        resource: Resource,
        amounts: Mapping[ComponentType, Decimal],
        *,
        on: datetime | None = None,
    ) -> None:
        """A report takes the place of what the resource's page showed before."""
        month = self._booked_month(amounts, on)
        state = self.resources[resource.uuid].state
        if state not in {ResourceState.OK, ResourceState.UPDATING, ResourceState.TERMINATING}:
            raise WaldurRejected("set usage", 400, "Resource is not in valid state.")
        self._check_known(amounts)
        self.note("tell_usage", resource.uuid, (dict(amounts), month))
        for component, amount in amounts.items():
            rest = amount - self._in_other_plans(resource.uuid, component, month)
            told = max(Decimal(0), rest) if self.makes_totals else amount
            self.hold_usage(resource.uuid, component, month, told)
        if month == Month.containing(self.now, self.zone):
            self.current_usages[resource.uuid] = dict(amounts)

    @answers
    def tell_user_usages(
        self, usage: HeldUsage, amounts: Mapping[str, Decimal]
    ) -> Mapping[str, str]:
        """Only `today` asks whether it knows the person."""
        known = {user.username for user in self.offering_users.values()}
        if self.dialect is not Dialect.TODAY:
            known |= set(amounts)
        taken = {name: amount for name, amount in amounts.items() if name in known}
        self.note("tell_user_usages", usage.uuid, taken)
        for name, amount in taken.items():
            self.hold_user_usage(usage, name, amount)
        return dict.fromkeys(sorted(set(amounts) - known), "no such offering user")

    # Components and the agent itself

    @answers
    def create_component(self, component: Component) -> None:
        offered = offered_as(component, f"c{len(self.offering.components)}")
        self.note("create_component", component.type, offered)
        components = (*self.offering.components, offered)
        self.offering = replace(self.offering, components=components)

    @answers
    def update_component(self, offered: OfferedComponent, component: Component) -> None:
        updated = offered_as(component, offered.uuid)
        self.note("update_component", component.type, updated)
        components = tuple(
            updated if held.uuid == offered.uuid else held for held in self.offering.components
        )
        self.offering = replace(self.offering, components=components)

    @answers
    def register_agent(self, version: str, direction: str, *, has_started: bool = True) -> None:
        if self.dialect is Dialect.TODAY:
            self.note("register_agent" if has_started else "show_agent", direction, version)

    @answers
    def read_rights(self) -> Rights:
        return Rights(tuple(map(_role, self.rights)), tuple(map(_role, self.rights_elsewhere)))

    # Inside

    def _team(self, resource: Resource) -> frozenset[UserUuid]:
        return frozenset(self.members.get(resource.project.uuid, set()))

    def _require_available(self) -> None:
        if self.dialect is Dialect.TODAY and self.offering.is_unavailable:
            raise WaldurRejected("resource", 400, "Offering is unavailable.")

    def _require(self, order: OrderUuid, state: OrderState) -> None:
        if self._order(order).state is not state:
            raise WaldurRejected(f"order {order}", 409, f"Valid states for operation: {state}.")

    def _order(self, order: OrderUuid) -> Order:
        if order not in self.orders:
            raise WaldurRejected(f"order {order}", 404, "No Order matches the given query.")
        return self.orders[order]

    def _booked_month(self, amounts: Mapping[ComponentType, Decimal], on: datetime | None) -> Month:
        """The month of `on` on `today`, the running one elsewhere; a closed one may be refused."""
        current = Month.containing(self.now, self.zone)
        if on is None or self.dialect is not Dialect.TODAY:
            return current
        if not self.is_owned:
            raise WaldurRejected("set usage", 400, "Only staff users and service providers")
        month = Month.containing(on, self.zone)
        billed = {c.type: c.billing_type for c in self.offering.components}
        is_by_usage = any(billed.get(component) == "usage" for component in amounts)
        if month < current and is_by_usage and self.refuses_past_months:
            raise WaldurRejected("set usage", 400, "backfilling past billing periods")
        return month

    def _in_other_plans(
        self, resource: ResourceUuid, component: ComponentType, month: Month
    ) -> Decimal:
        about = (resource, component, month)
        rows = self.usages_in_other_plans
        found = (r.amount for r in rows if (r.resource, r.component, r.month) == about)
        return sum(found, Decimal(0))

    def _check_known(self, amounts: Mapping[ComponentType, Decimal]) -> None:
        unknown = set(amounts) - {component.type for component in self.offering.components}
        if unknown:
            named = ", ".join(sorted(unknown))
            raise WaldurRejected("set usage", 400, f"These components are invalid: {named}.")


def offered_as(component: Component, uuid: str) -> OfferedComponent:
    """The component as Waldur would hold it after it was told."""
    return OfferedComponent(
        uuid=uuid,
        type=component.type,
        name=component.label,
        measured_unit=component.measured_unit,
        billing_type=component.accounting_type,
        limit_amount=component.limit,
        limit_period=component.limit_period,
        description=component.description,
        article_code=component.article_code,
        min_value=component.min_value,
        max_value=component.max_value,
    )


def _role(text: str) -> Role:
    name, _, scope = text.partition(" of ")
    return Role(name, scope)


def fake_marketplace(dialect: Dialect = Dialect.TODAY) -> FakeMarketplace:
    """One with an offering of `cpu` and `mem` by usage and `gres/gpu` by limit, and no orders."""
    return FakeMarketplace(dialect=dialect, now=datetime(2026, 11, 21, 12, tzinfo=UTC))


__all__ = ["FakeMarketplace", "Write", "fake_marketplace", "offered_as"]
