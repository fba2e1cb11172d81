"""The marketplace over HTTP: each intent once, in the dialect that the server speaks.

Reads are whole or an error. Order states are never told blindly: where it is unclear whether a
word has arrived, the order is read again and its state decides.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from threading import Lock

from waldur_slurm.agent.errors import WaldurError, WaldurRejected
from waldur_slurm.agent.model.components import Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Offering,
    OfferingUser,
    OfferingUuid,
    Order,
    OrderState,
    OrderUuid,
    Resource,
    ResourceUuid,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.model.rights import Rights
from waldur_slurm.agent.waldur.dialects import open_dialect
from waldur_slurm.agent.waldur.dialects.api import DialectApi
from waldur_slurm.agent.waldur.members import read_members
from waldur_slurm.agent.waldur.notices import (
    Notice,
    dialect_found,
    order_unreadable,
    registration_failed,
    row_unreadable,
)
from waldur_slurm.agent.waldur.prices import explaining
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession
from waldur_slurm.agent.waldur.unreadable import UnreadableOrders, Unreadables
from waldur_slurm.agent.waldur.wire.offerings import component_to_wire, parse_offering
from waldur_slurm.agent.waldur.wire.orders import parse_in_flight, parse_order, parse_orders
from waldur_slurm.agent.waldur.wire.people import (
    parse_association,
    parse_offering_user_row,
    parse_rights,
)
from waldur_slurm.agent.waldur.wire.reading import parse_uuid
from waldur_slurm.agent.waldur.wire.resources import parse_plan, parse_resource, parse_resource_row
from waldur_slurm.agent.waldur.wire.rows import ORDER_FIELDS, RESOURCE_FIELDS
from waldur_slurm.agent.waldur.wire.usages import parse_usage, parse_user_usage
from waldur_slurm.model.period import Month

THREADS = 8

_LIVE_STATES = ("Creating", "OK", "Erred", "Updating", "Terminating")
_OPEN_STATES = ("pending-consumer", "pending-provider", "executing")


class WaldurMarketplace:
    """Implements `waldur_slurm.agent.waldur.port.Marketplace`.

    Nothing is asked before the first call; that one finds the dialect and checks the offering.
    """

    def __init__(
        self,
        session: WaldurSession,
        offering: OfferingUuid,
        *,
        tell: Callable[[Notice], None] = lambda _notice: None,
        threads: int = THREADS,
    ) -> None:
        self._session = session
        self._offering_uuid = offering
        self._tell = tell
        self._threads = threads
        self._found: DialectApi | None = None
        self._told: Dialect | None = None
        self._lost_routes = 0
        self._names: dict[UserUuid, str] = {}
        self._bad_rows = Unreadables(lambda row: tell(row_unreadable(row)))
        self._bad_orders = UnreadableOrders(lambda order, why: tell(order_unreadable(order, why)))
        self._lock = Lock()

    @property
    def dialect(self) -> Dialect:
        return self._api.dialect

    @property
    def server_time(self) -> datetime | None:
        text = self._session.server_date
        try:
            return parsedate_to_datetime(text).astimezone(UTC) if text else None
        except (ValueError, OverflowError):
            return None

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return self._bad_rows.all()

    # Orders

    def read_offering(self) -> Offering:
        self._opened()
        raw = self._session.get_marketplace_provider_offering(self._offering_uuid)
        return parse_offering(raw, "offering")

    def read_orders(self) -> tuple[Order, ...]:
        """An order that cannot be read waits, alone: its resource stays listed all the same."""
        rows = self._list_orders(("pending-provider", "executing"), ORDER_FIELDS)
        orders, unreadable = parse_orders(rows, "orders")
        self._bad_orders.remember(unreadable)
        return tuple(sorted(orders, key=lambda order: (order.created, order.uuid)))

    def read_order(self, order: OrderUuid) -> Order:
        return parse_order(self._session.get_order(order), f"order {order}")

    def approve_order(self, order: OrderUuid) -> None:
        settled = {OrderState.EXECUTING, OrderState.DONE}
        approve = self._session.marketplace_order_approve_by_provider
        self._settle(order, settled, lambda: approve(order))

    def reject_order(self, order: OrderUuid, reason: str) -> None:
        api = self._api
        self._settle(order, {OrderState.REJECTED}, lambda: api.reject_order(order, reason))

    def tell_order_message(self, order: OrderUuid, message: str) -> None:
        self._api.tell_order_message(order, message)

    def tell_order_done(self, order: OrderUuid) -> None:
        held = self.read_order(order)
        if held.state is not OrderState.DONE:
            done = self._session.marketplace_order_set_state_done
            with self._explaining(held.resource, held.limits):
                self._settle(order, {OrderState.DONE}, lambda: done(order))

    def tell_order_erred(self, order: OrderUuid, message: str) -> None:
        """Waldur itself does not check: on a done order it would break the resource."""
        if self.read_order(order).state is OrderState.EXECUTING:
            err = self._session.marketplace_order_set_state_erred
            self._settle(order, {OrderState.ERRED}, lambda: err(order, message, ""))

    # Resources

    def read_resources(self) -> tuple[Resource, ...]:
        filters = {
            "offering_uuid": self._offering_uuid,
            "state": list(_LIVE_STATES),
            "field": list(RESOURCE_FIELDS),
        }
        api = self._api
        rows = api.list_resources(filters)
        if not rows and api.dialect is Dialect.CLASSIC:
            # Newer servers keep that list for customers and show it to providers as empty.
            self._found = None
            rows = self._api.list_resources(filters)
        in_flight = self._read_in_flight()
        parsed = (parse_resource_row(row, "resources", in_flight) for row in rows)
        return self._bad_rows.sorted_out(RowKind.RESOURCE, parsed)

    def read_resource(self, resource: ResourceUuid) -> Resource:
        raw = self._api.read_resource(resource)
        in_flight = self._read_in_flight(resource_uuid=resource)
        return parse_resource(raw, f"resource {resource}", in_flight)

    def tell_backend_id(self, resource: Resource, backend_id: str) -> None:
        self._api.tell_backend_id(resource, backend_id)

    def tell_limits(self, resource: Resource, limits: Mapping[ComponentType, int]) -> None:
        with self._explaining(resource.uuid, limits):
            self._api.tell_limits(resource, limits)

    def tell_work_begun(self, resource: Resource) -> None:
        self._api.tell_work_begun(resource)

    def tell_resource_ok(self, resource: Resource) -> None:
        self._api.tell_resource_ok(resource)

    def tell_resource_erred(self, resource: Resource, message: str) -> None:
        self._api.tell_resource_erred(resource, message)

    def tell_last_sync(self, resource: Resource) -> None:
        self._api.tell_last_sync(resource)

    # People

    def read_members(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        api = self._api
        self._names = {}
        unreadable: list[Unreadable] = []
        teams = read_members(
            self._session,
            api,
            self.read_offering().customer_uuid,
            resources,
            now=self.server_time or datetime.now(UTC),
            threads=self._threads,
            names=self._names,
            unreadable=unreadable,
        )
        self._bad_rows.remember(RowKind.TEAM, unreadable)
        return teams

    def member_names(self, users: Collection[UserUuid]) -> Mapping[UserUuid, str]:
        names, self._names = self._names, {}
        return {user: names[user] for user in users if user in names}

    def read_offering_users(self) -> tuple[OfferingUser, ...]:
        self._opened()
        filters = {"offering_uuid": self._offering_uuid}
        rows = self._session.rows(
            Endpoints.MarketplaceOfferingUsers,
            filters,
            lambda row: parse_offering_user_row(row, "offering users"),
        )
        return self._bad_rows.sorted_out(RowKind.OFFERING_USER, rows)

    def tell_offering_user(self, user: UserUuid) -> None:
        """Waldur refuses a second one: then the list of them decides."""
        self._opened()
        url = self._session.api_url
        provided = f"{Endpoints.MarketplaceProviderOffering}/{self._offering_uuid}"
        said = {"user": f"{url}users/{user}/", "offering": f"{url}{provided}/"}
        try:
            self._session.create(Endpoints.MarketplaceOfferingUsers, said)
        except WaldurRejected:
            if not self._is_offering_user(user):
                raise

    def read_associations(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[str]] | None:
        api = self._api
        if not api.takes_associations:
            return None
        found: dict[str, set[str]] = {r.allocation_uuid: set() for r in resources}
        for row in api.list_associations():
            allocation, username = parse_association(row, "associations")
            if allocation in found:
                found[allocation].add(username)
        return {r.uuid: frozenset(found[r.allocation_uuid]) for r in resources}

    def tell_association(self, resource: Resource, username: str) -> None:
        self._api.tell_association(resource, username)

    def tell_no_association(self, resource: Resource, username: str) -> None:
        self._api.tell_no_association(resource, username)

    def tell_memberships(self, resource: Resource, usernames: Collection[str]) -> None:
        self._api.tell_memberships(resource, frozenset(usernames))

    # Usage

    def read_usages(self, month: Month) -> tuple[HeldUsage, ...]:
        self._opened()
        query = {"offering_uuid": self._offering_uuid, "billing_period": str(month.first_day)}
        return tuple(
            self._session.rows(
                Endpoints.MarketplaceComponentUsage,
                query,
                lambda row: parse_usage(row, "component usages"),
            )
        )

    def read_user_usages(
        self, month: Month, usages: Collection[HeldUsage]
    ) -> tuple[HeldUserUsage, ...]:
        """Older servers do not filter by month: only what belongs to `usages` is the month's."""
        held = {usage.uuid: usage for usage in usages}
        query = {
            "offering_uuid": self._offering_uuid,
            "component_usage__billing_period": str(month.first_day),
        }
        found = self._session.rows(
            "marketplace-component-user-usages",
            query,
            lambda row: parse_user_usage(row, "user usages", held),
        )
        return tuple(usage for usage in found if usage is not None)

    def tell_usage(
        self,
        resource: Resource,
        amounts: Mapping[ComponentType, Decimal],
        *,
        on: datetime | None = None,
    ) -> None:
        self._api.tell_usage(resource, amounts, on)

    def tell_user_usages(
        self, usage: HeldUsage, amounts: Mapping[str, Decimal]
    ) -> Mapping[str, str]:
        return self._api.tell_user_usages(usage.uuid, amounts)

    # Components and the agent itself

    def create_component(self, component: Component) -> None:
        self._tell_component("create_offering_component", component_to_wire(component))

    def update_component(self, offered: OfferedComponent, component: Component) -> None:
        said = {**component_to_wire(component), "uuid": offered.uuid}
        self._tell_component("update_offering_component", said)

    def register_agent(self, version: str, direction: str) -> None:
        """Providers seeing the agent is a convenience: no failure of it stops anything."""
        try:
            self._api.register_agent(f"waldur-slurm-agent {direction}", version, direction)
        except WaldurError as error:
            self._tell(registration_failed(error))

    def read_rights(self) -> Rights:
        scopes = (self._offering_uuid, self.read_offering().customer_uuid)
        return parse_rights(self._session.get_current_user(), "users/me", scopes)

    # Inside

    @property
    def _api(self) -> DialectApi:
        return self._opened()

    def _opened(self) -> DialectApi:
        """Find the dialect, and refuse an offering that no agent may serve.

        Once, and again when a route has gone: then Waldur has been upgraded in the meantime.
        """
        with self._lock:
            if self._found is None or self._lost_routes != self._session.lost_routes:
                self._found = open_dialect(self._session, self._offering_uuid)
                self._lost_routes = self._session.lost_routes
                self._tell_dialect(self._found.dialect)
            return self._found

    def _tell_dialect(self, dialect: Dialect) -> None:
        if dialect is not self._told:
            self._told = dialect
            self._tell(dialect_found(dialect))

    def _list_orders(
        self, states: Sequence[str], fields: Sequence[str], **more: str
    ) -> Sequence[object]:
        self._opened()
        filters = {
            "offering_uuid": self._offering_uuid,
            "state": list(states),
            "field": list(fields),
            **more,
        }
        rows: Sequence[object] = self._session.list_orders(filters)
        return rows

    def _explaining(
        self, resource: ResourceUuid | None, limits: Collection[str]
    ) -> AbstractContextManager[None]:
        def plan() -> str:
            raw = self._api.read_resource(resource) if resource else {}
            return parse_plan(raw, f"resource {resource}")

        return explaining(limits, self.dialect, self.read_offering, plan)

    def _read_in_flight(self, **more: str) -> frozenset[ResourceUuid]:
        rows = self._list_orders(_OPEN_STATES, ("uuid", "marketplace_resource_uuid"), **more)
        return parse_in_flight(rows, "open orders")

    def _is_offering_user(self, user: UserUuid) -> bool:
        filters = {"offering_uuid": self._offering_uuid, "user_uuid": user}
        endpoint = Endpoints.MarketplaceOfferingUsers
        found = self._session.rows(endpoint, filters, lambda row: parse_uuid(row, endpoint))
        return bool(found)

    def _settle(
        self, order: OrderUuid, settled: Collection[OrderState], tell: Callable[[], object]
    ) -> None:
        """Tell once; where that failed, the order's own state says whether it is so by now."""
        try:
            tell()
        except WaldurError:
            if self._state_now(order) not in settled:
                raise

    def _state_now(self, order: OrderUuid) -> OrderState | None:
        try:
            return self.read_order(order).state
        except WaldurError:
            return None

    def _tell_component(self, action: str, said: Mapping[str, object]) -> None:
        self._opened()
        endpoint = Endpoints.MarketplaceProviderOffering
        self._session.act(endpoint, self._offering_uuid, action, said)
