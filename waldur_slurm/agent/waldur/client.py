"""The marketplace over HTTP: each intent once, in the dialect that the server speaks.

Reads are whole or an error. Order states are never told blindly: where it is unclear whether a
word has arrived, the order is read again and its state decides.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal

from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.model.components import Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    HeldUsage,
    HeldUserUsage,
    OfferedComponent,
    Order,
    OrderState,
    OrderUuid,
    Resource,
    ResourceUuid,
    RowKind,
    UsagePolicy,
)
from waldur_slurm.agent.model.rights import Rights
from waldur_slurm.agent.waldur.notices import registration_failed
from waldur_slurm.agent.waldur.people import People
from waldur_slurm.agent.waldur.prices import explaining
from waldur_slurm.agent.waldur.session import Endpoints, is_route_missing
from waldur_slurm.agent.waldur.wire.offerings import component_to_wire, parse_usage_policy
from waldur_slurm.agent.waldur.wire.orders import parse_in_flight, parse_order, parse_orders
from waldur_slurm.agent.waldur.wire.people import parse_rights
from waldur_slurm.agent.waldur.wire.resources import parse_plan, parse_resource, parse_resource_row
from waldur_slurm.agent.waldur.wire.rows import ORDER_FIELDS, RESOURCE_FIELDS
from waldur_slurm.agent.waldur.wire.usages import parse_usage, parse_user_usage
from waldur_slurm.model.period import Month

_LIVE_STATES = ("Creating", "OK", "Erred", "Updating", "Terminating")
_POLICIES = "marketplace-slurm-periodic-usage-policies"
_OPEN_STATES = ("pending-consumer", "pending-provider", "executing")


class WaldurMarketplace(People):
    """Implements `waldur_slurm.agent.waldur.port.Marketplace`."""

    # Orders

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

    def read_usage_policies(self) -> tuple[UsagePolicy, ...]:
        """A server that does not know the filter answers with those of other offerings too."""
        asked = f"{self._session.api_url}{_POLICIES}/?page_size=1"
        if self.dialect is not Dialect.TODAY or is_route_missing(self._session.find(asked)):
            return ()
        query = {"scope_uuid": self._offering_uuid}
        rows = self._session.rows(_POLICIES, query, lambda row: parse_usage_policy(row, _POLICIES))
        return tuple(policy for offering, policy in rows if offering == self._offering_uuid)

    def register_agent(self, version: str, direction: str, *, has_started: bool = True) -> None:
        """Providers seeing the agent is a convenience: no failure of it stops anything."""
        try:
            name = f"waldur-slurm-agent {direction}"
            self._api.register_agent(name, version, direction, has_started=has_started)
        except WaldurError as error:
            self._tell(registration_failed(error))

    def read_rights(self) -> Rights:
        scopes = (self._offering_uuid, self.read_offering().customer_uuid)
        return parse_rights(self._session.get_current_user(), "users/me", scopes)

    # Inside

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
