"""Waldur of late 2024: providers have their own resources, and the hidden allocation lives on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from waldur_slurm.agent.model.marketplace import Dialect, Resource, ResourceUuid
from waldur_slurm.agent.waldur.dialects.api import Amounts, usage_items
from waldur_slurm.agent.waldur.dialects.older import OlderDialect
from waldur_slurm.agent.waldur.session import Endpoints


class Transition(OlderDialect):
    dialect = Dialect.TRANSITION

    def list_resources(self, filters: Mapping[str, object]) -> list[Any]:
        rows: list[Any] = self._session.filter_marketplace_provider_resources(dict(filters))
        return rows

    def read_resource(self, resource: ResourceUuid) -> object:
        return self._session.get_marketplace_provider_resource(resource)

    def read_team(self, resource: ResourceUuid) -> Sequence[object]:
        return self._session.read_list(Endpoints.MarketplaceProviderResources, resource, "team")

    def tell_backend_id(self, resource: Resource, backend_id: str) -> None:
        self._session.marketplace_provider_resource_set_backend_id(resource.uuid, backend_id)
        self._allocation(resource, "set_backend_id", {"backend_id": backend_id})

    # Unused: this dialect has no place for it.
    def tell_usage(self, resource: Resource, amounts: Amounts, on: datetime | None) -> None:  # noqa: ARG002
        """Always the server's current month: a date is ignored here, so none is sent."""
        said = {"resource": resource.uuid, "usages": usage_items(amounts)}
        self._session.act(Endpoints.MarketplaceComponentUsage, None, "set_usage", said)
