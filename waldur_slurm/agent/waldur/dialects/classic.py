"""Waldur up to 7.0: customers and providers share one list of resources."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.model.marketplace import Dialect, Resource, ResourceUuid
from waldur_slurm.agent.waldur.dialects.api import Amounts, usage_items
from waldur_slurm.agent.waldur.dialects.older import OlderDialect
from waldur_slurm.agent.waldur.session import Endpoints
from waldur_slurm.agent.waldur.wire.resources import parse_plan_period


class Classic(OlderDialect):
    dialect = Dialect.CLASSIC

    def list_resources(self, filters: Mapping[str, object]) -> list[Any]:
        rows: list[Any] = self._session.filter_marketplace_resources(dict(filters))
        return rows

    def read_resource(self, resource: ResourceUuid) -> object:
        return self._session.get_marketplace_resource(resource)

    def read_team(self, resource: ResourceUuid) -> Sequence[object]:
        return self._session.read_list(Endpoints.MarketplaceResources, resource, "team")

    def tell_backend_id(self, resource: Resource, backend_id: str) -> None:
        said = {"backend_id": backend_id}
        self._session.act(Endpoints.MarketplaceResources, resource.uuid, "set_backend_id", said)
        self._allocation(resource, "set_backend_id", said)

    # Unused: this dialect has no place for it.
    def tell_usage(self, resource: Resource, amounts: Amounts, on: datetime | None) -> None:  # noqa: ARG002
        """To a plan period: always the server's current month."""
        said = {"plan_period": self._plan_period(resource), "usages": usage_items(amounts)}
        self._session.act(Endpoints.MarketplaceComponentUsage, None, "set_usage", said)

    def _plan_period(self, resource: Resource) -> str:
        """The open one, or the last: whether that may still take usage is for Waldur to say.

        There is none before the order that makes the resource is done.
        """
        endpoint = Endpoints.MarketplaceResources
        rows = self._session.read_list(endpoint, resource.uuid, "plan_periods")
        where = f"plan periods of {resource.uuid}"
        periods = [parse_plan_period(row, where) for row in rows]
        if not periods:
            raise WaldurUnreachable(f"{where}: there is none yet")
        opened = [uuid for is_open, uuid in periods if is_open]
        return opened[-1] if opened else periods[-1][1]
