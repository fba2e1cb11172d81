"""Waldur 8: resources carry everything, and what was told is told to them directly."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUuid,
    OrderUuid,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.waldur.dialects.api import Amounts, usage_items
from waldur_slurm.agent.waldur.dialects.halving import taken_apart
from waldur_slurm.agent.waldur.dialects.registration import register
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession
from waldur_slurm.agent.waldur.wire.people import statuses_to_wire


class Today:
    dialect = Dialect.TODAY
    takes_associations = False

    def __init__(self, session: WaldurSession, offering: OfferingUuid) -> None:
        self._session = session
        self._offering = offering

    def list_resources(self, filters: Mapping[str, object]) -> list[Any]:
        rows: list[Any] = self._session.filter_marketplace_provider_resources(dict(filters))
        return rows

    def read_resource(self, resource: ResourceUuid) -> object:
        return self._session.get_marketplace_provider_resource(resource)

    def read_team(self, resource: ResourceUuid) -> Sequence[object]:
        return self._session.read_list(Endpoints.MarketplaceProviderResources, resource, "team")

    def reject_order(self, order: OrderUuid, reason: str) -> None:
        said = {"provider_rejection_comment": reason}
        self._session.act(Endpoints.MarketplaceOrder, order, "reject_by_provider", said)

    def tell_order_message(self, order: OrderUuid, message: str) -> None:
        said = {"provider_message": message}
        self._session.act(Endpoints.MarketplaceOrder, order, "set_provider_info", said)

    def tell_backend_id(self, resource: Resource, backend_id: str) -> None:
        self._session.marketplace_provider_resource_set_backend_id(resource.uuid, backend_id)

    def tell_limits(self, resource: Resource, limits: Mapping[ComponentType, int]) -> None:
        self._session.marketplace_provider_resource_set_limits(resource.uuid, dict(limits))

    def tell_work_begun(self, resource: Resource) -> None:
        """Nothing stands behind a resource here."""

    def tell_resource_ok(self, resource: Resource) -> None:
        """Needed after an error only: an order that is done moves its resource by itself."""
        if resource.state is ResourceState.ERRED:
            self._session.marketplace_provider_resource_set_as_ok(resource.uuid)

    def tell_resource_erred(self, resource: Resource, message: str) -> None:
        details = {"error_message": message, "error_traceback": ""}
        self._session.marketplace_provider_resource_set_as_erred(resource.uuid, details)

    def list_associations(self) -> list[Any]:
        return []

    def tell_association(self, resource: Resource, username: str) -> None:
        """No such list here; see `tell_memberships`."""

    def tell_no_association(self, resource: Resource, username: str) -> None:
        """No such list here; see `tell_memberships`."""

    def tell_memberships(self, resource: Resource, usernames: frozenset[str]) -> None:
        team = self.read_team(resource.uuid)
        statuses = statuses_to_wire(team, usernames, f"team of {resource.uuid}")
        endpoint = Endpoints.MarketplaceProviderResources
        said = {"statuses": statuses}
        self._session.act(endpoint, resource.uuid, "set_membership_sync_statuses", said)

    def tell_usage(self, resource: Resource, amounts: Amounts, on: datetime | None) -> None:
        said: dict[str, object] = {"resource": resource.uuid, "usages": usage_items(amounts)}
        if on is not None:
            said["date"] = on.astimezone(UTC).isoformat()
        self._session.act(Endpoints.MarketplaceComponentUsage, None, "set_usage", said)

    def tell_user_usages(self, usage: str, amounts: Mapping[str, Decimal]) -> Mapping[str, str]:
        def tell(batch: Mapping[str, Decimal]) -> None:
            rows = [{"username": name, "usage": str(amount)} for name, amount in batch.items()]
            endpoint = Endpoints.MarketplaceComponentUsage
            self._session.act(endpoint, usage, "set_user_usages", {"usages": rows})

        return taken_apart(tell, amounts)

    def register_agent(self, name: str, version: str, direction: str, *, has_started: bool) -> None:
        offering = self._offering
        register(self._session, offering, name, version, direction, has_started=has_started)
