"""What the fake marketplace remembers, and what a customer does to it.

The rules of orders and resources are Waldur's own: `docs/waldur-contract.md` tells where each was
measured. Uuids count up, so that a failing test reads the same every time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    Dialect,
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Offering,
    OfferingUser,
    OfferingUuid,
    Order,
    OrderState,
    OrderType,
    OrderUuid,
    Project,
    ProjectAccount,
    ProjectUuid,
    Resource,
    ResourceState,
    ResourceUuid,
    UsagePolicy,
    UserUuid,
)
from waldur_slurm.model.period import Month

_WHILE_EXECUTING = {
    OrderType.CREATE: ResourceState.CREATING,
    OrderType.UPDATE: ResourceState.UPDATING,
    OrderType.TERMINATE: ResourceState.TERMINATING,
    OrderType.RESTORE: ResourceState.CREATING,
}
_MOVED_AT_ONCE = {OrderType.UPDATE, OrderType.TERMINATE}
"""What `today` calls a resource by as soon as it is ordered, whoever must still agree."""
_OPEN = {OrderState.PENDING_CONSUMER, OrderState.PENDING_PROVIDER, OrderState.EXECUTING}


def default_offering() -> Offering:
    sold = [
        ("cpu", "CPU", "k-Hours", AccountingType.USAGE),
        ("mem", "RAM", "GiB-hours", AccountingType.USAGE),
        ("gres/gpu", "GPU", "hours", AccountingType.LIMIT),
    ]
    return Offering(
        uuid=OfferingUuid(f"{1:032x}"),
        name="Cluster",
        state="Active",
        customer_uuid=CustomerUuid(f"{2:032x}"),
        components=tuple(
            OfferedComponent(
                uuid=f"{0xC0 + index:032x}",
                type=ComponentType(type_),
                name=name,
                measured_unit=unit,
                billing_type=billing,
                limit_amount=None,
            )
            for index, (type_, name, unit, billing) in enumerate(sold)
        ),
    )


@dataclass(kw_only=True)
class Ledger:
    """The state behind `FakeMarketplace`; tests may read it and, with care, change it."""

    dialect: Dialect
    now: datetime
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    offering: Offering = field(default_factory=default_offering)
    customers: dict[str, CustomerUuid] = field(default_factory=dict)
    orders: dict[OrderUuid, Order] = field(default_factory=dict)
    resources: dict[ResourceUuid, Resource] = field(default_factory=dict)
    members: dict[ProjectUuid, set[UserUuid]] = field(default_factory=dict)
    usernames: dict[UserUuid, str] = field(default_factory=dict)
    offering_users: dict[UserUuid, OfferingUser] = field(default_factory=dict)
    usage_policies: list[UsagePolicy] = field(default_factory=list)
    project_accounts: list[ProjectAccount] = field(default_factory=list)
    associations: dict[ResourceUuid, set[str]] = field(default_factory=dict)
    usages: dict[tuple[ResourceUuid, ComponentType, Month], HeldUsage] = field(default_factory=dict)
    usages_in_other_plans: list[HeldUsage] = field(default_factory=list)
    """Rows beside those in `usages`, as a resource has that changed its plan."""
    current_usages: dict[ResourceUuid, dict[ComponentType, Decimal]] = field(default_factory=dict)
    """What a resource's page shows of the running month."""
    user_usages: dict[tuple[str, str], HeldUserUsage] = field(default_factory=dict)
    rights: Sequence[str] = ("CUSTOMER.OWNER of the provider",)
    rights_elsewhere: Sequence[str] = ()
    begun: set[ResourceUuid] = field(default_factory=set)
    never_ok: set[ResourceUuid] = field(default_factory=set)
    _numbers: "count[int]" = field(default_factory=lambda: count(0x1000))

    # A customer's hands

    def make_project(self, name: str = "Physics", customer: str = "Science") -> Project:
        number = next(self._numbers)
        owner = self.customers.setdefault(customer, CustomerUuid(self._uuid()))
        project = Project(
            uuid=ProjectUuid(f"{number:032x}"),
            name=name,
            slug=f"{name.lower()}-{number:x}",
            customer_uuid=owner,
            customer_name=customer,
            customer_slug=customer.lower(),
        )
        self.members[project.uuid] = set()
        return project

    def add_member(self, project: Project, username: str = "") -> UserUuid:
        """A new person; a blank `username` is one that the provider has not given yet.

        Waldur makes offering users when a create order is done, or at once for later members.
        """
        user = UserUuid(self._uuid())
        self.usernames[user] = username
        self.members[project.uuid].add(user)
        if self._is_served(project.uuid):
            self._make_offering_users(project.uuid)
        return user

    def remove_member(self, project: Project, user: UserUuid) -> None:
        self.members[project.uuid].discard(user)

    def name_user(self, user: UserUuid, username: str, *, is_usable: bool = True) -> None:
        """Give a person a user name in the offering, or take it away."""
        self.usernames[user] = username
        self.offering_users[user] = OfferingUser(
            user=user, username=username, is_usable=is_usable and bool(username)
        )

    def place_create(
        self,
        project: Project,
        name: str = "alloc",
        limits: Mapping[str, object] | None = None,
        state: OrderState = OrderState.PENDING_PROVIDER,
    ) -> Order:
        resource = self.make_resource(project, name, limits, state=ResourceState.CREATING)
        return self._place(OrderType.CREATE, resource, resource.limits, state)

    def approve_as_consumer(self, order: OrderUuid) -> None:
        self._set_order(order, OrderState.PENDING_PROVIDER)

    def place_update(
        self,
        resource: ResourceUuid,
        limits: Mapping[str, object],
        state: OrderState = OrderState.PENDING_PROVIDER,
    ) -> Order:
        return self._place(OrderType.UPDATE, self.resources[resource], limits, state)

    def place_terminate(
        self, resource: ResourceUuid, state: OrderState = OrderState.PENDING_PROVIDER
    ) -> Order:
        return self._place(OrderType.TERMINATE, self.resources[resource], {}, state)

    def make_resource(
        self,
        project: Project,
        name: str = "alloc",
        limits: Mapping[str, object] | None = None,
        *,
        backend_id: str = "",
        state: ResourceState = ResourceState.OK,
    ) -> Resource:
        """A resource without an order: OK unless told otherwise."""
        number = next(self._numbers)
        resource = Resource(
            uuid=ResourceUuid(f"{number:032x}"),
            name=name,
            slug=f"{name.lower()}-{number:x}",
            state=state,
            backend_id=backend_id,
            project=project,
            limits=dict(limits or {}),
            allocation_uuid="" if self.dialect is Dialect.TODAY else self._uuid(),
        )
        self.resources[resource.uuid] = resource
        if state is ResourceState.CREATING:
            self.never_ok.add(resource.uuid)
        else:
            self._make_offering_users(project.uuid)
        return resource

    def hold_usage(
        self, resource: ResourceUuid, component: ComponentType, month: Month, amount: Decimal
    ) -> HeldUsage:
        key = (resource, component, month)
        uuid = self.usages[key].uuid if key in self.usages else self._uuid()
        self.usages[key] = HeldUsage(
            uuid=uuid, resource=resource, component=component, month=month, amount=amount
        )
        return self.usages[key]

    def hold_user_usage(self, usage: HeldUsage, username: str, amount: Decimal) -> None:
        self.user_usages[usage.uuid, username] = HeldUserUsage(
            usage=usage.uuid,
            resource=usage.resource,
            component=usage.component,
            month=usage.month,
            username=username,
            amount=amount,
        )

    def tell_offering_user_deleted(self, offering_user: str) -> None:
        for user, person in self.offering_users.items():
            if person.to_be_deleted == offering_user:
                self.offering_users[user] = replace(person, to_be_deleted="")

    def read_usage_policies(self) -> tuple[UsagePolicy, ...]:
        return tuple(self.usage_policies)

    # Waldur's own rules

    def begin(self, order: OrderUuid) -> None:
        """Approval; in the older dialects an update needs an allocation that was ever ok."""
        held = self.orders[order]
        is_stuck = held.resource in self.never_ok and held.type is OrderType.UPDATE
        if is_stuck and self.dialect is not Dialect.TODAY:
            self.err(order)
            return
        self._set_order(order, OrderState.EXECUTING)
        self._land(held, _WHILE_EXECUTING.get(held.type, ResourceState.OTHER))

    def reject(self, order: OrderUuid) -> None:
        held = self._set_order(order, OrderState.REJECTED)
        if held.type is OrderType.CREATE:
            self._land(held, ResourceState.TERMINATED)
        elif held.type in _MOVED_AT_ONCE and self.dialect is Dialect.TODAY:
            self._land(held, ResourceState.OK)

    def complete(self, order: OrderUuid) -> None:
        held = self._set_order(order, OrderState.DONE)
        is_terminate = held.type is OrderType.TERMINATE
        self._land(held, ResourceState.TERMINATED if is_terminate else ResourceState.OK)
        if held.resource is None:
            return
        if held.type is OrderType.UPDATE:
            resource = self.resources[held.resource]
            self.resources[held.resource] = replace(resource, limits=dict(held.limits))
        if held.type is OrderType.CREATE:
            self._make_offering_users(held.project.uuid)

    def err(self, order: OrderUuid) -> None:
        """A failed create without a backend id is terminated on `today`; a terminate goes back."""
        held = self._set_order(order, OrderState.ERRED)
        if held.type is OrderType.TERMINATE:
            self._land(held, ResourceState.OK)
            return
        is_nothing = held.resource and not self.resources[held.resource].backend_id
        is_create = held.type is OrderType.CREATE
        gone = is_nothing and is_create and self.dialect is Dialect.TODAY
        self._land(held, ResourceState.TERMINATED if gone else ResourceState.ERRED)

    def settle(self, resource: ResourceUuid) -> None:
        """The resource or its allocation is well: work begun there completes the order."""
        self.never_ok.discard(resource)
        executing = [
            order.uuid
            for order in self.orders.values()
            if order.resource == resource and order.state is OrderState.EXECUTING
        ]
        if resource in self.begun:
            self.begun.discard(resource)
            for order in executing:
                self.complete(order)
        if not executing:
            self._move(resource, ResourceState.OK)

    def _place(
        self, type_: OrderType, resource: Resource, limits: Mapping[str, object], state: OrderState
    ) -> Order:
        order = Order(
            uuid=OrderUuid(self._uuid()),
            type=type_,
            state=state,
            created=self.now + timedelta(seconds=len(self.orders)),
            resource=resource.uuid,
            resource_name=resource.name,
            project=resource.project,
            limits=dict(limits),
        )
        self.orders[order.uuid] = order
        is_living = self.resources[resource.uuid].state is not ResourceState.ERRED
        if self.dialect is Dialect.TODAY and is_living and type_ in _MOVED_AT_ONCE:
            self._move(resource.uuid, _WHILE_EXECUTING[type_])
        return order

    def _shown(self, resource: Resource) -> Resource:
        in_flight = any(
            order.resource == resource.uuid and order.state in _OPEN
            for order in self.orders.values()
        )
        name = resource.backend_id.lower()
        return replace(resource, has_order_in_flight=in_flight, backend_id=name)

    def _change(self, resource: Resource, **changes: Any) -> None:
        self.resources[resource.uuid] = replace(self.resources[resource.uuid], **changes)

    def _move(self, resource: ResourceUuid, state: ResourceState) -> Resource:
        self.resources[resource] = replace(self.resources[resource], state=state)
        return self.resources[resource]

    def _land(self, order: Order, state: ResourceState) -> None:
        if order.resource is not None:
            self._move(order.resource, state)

    def _set_order(self, order: OrderUuid, state: OrderState) -> Order:
        self.orders[order] = replace(self.orders[order], state=state)
        return self.orders[order]

    def _is_served(self, project: ProjectUuid) -> bool:
        unserved = {ResourceState.CREATING, ResourceState.TERMINATED}
        return any(
            resource.project.uuid == project and resource.state not in unserved
            for resource in self.resources.values()
        )

    def _make_offering_users(self, project: ProjectUuid) -> None:
        for user in sorted(self.members.get(project, set()) - set(self.offering_users)):
            self.name_user(user, self.usernames[user])

    def _uuid(self) -> str:
        return f"{next(self._numbers):032x}"
