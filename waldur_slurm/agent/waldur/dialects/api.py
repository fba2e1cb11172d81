"""What differs between Waldur's dialects: the same intents, each in its own endpoints."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, OrderUuid, Resource, ResourceUuid

Amounts = Mapping[ComponentType, Decimal]


class DialectApi(Protocol):
    """One dialect. Raw rows go out and come in; `wire` reads them, `WaldurMarketplace` decides."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def takes_associations(self) -> bool:
        """Whether Waldur keeps its own list of who is in an allocation."""
        ...

    def list_resources(self, filters: Mapping[str, object]) -> list[Any]: ...

    def read_resource(self, resource: ResourceUuid) -> object: ...

    def read_team(self, resource: ResourceUuid) -> Sequence[object]: ...

    def reject_order(self, order: OrderUuid, reason: str) -> None: ...

    def tell_order_message(self, order: OrderUuid, message: str) -> None: ...

    def tell_backend_id(self, resource: Resource, backend_id: str) -> None: ...

    def tell_limits(self, resource: Resource, limits: Mapping[ComponentType, int]) -> None: ...

    def tell_work_begun(self, resource: Resource) -> None: ...

    def tell_resource_ok(self, resource: Resource) -> None: ...

    def tell_resource_erred(self, resource: Resource, message: str) -> None: ...

    def list_associations(self) -> list[Any]: ...

    def tell_association(self, resource: Resource, username: str) -> None: ...

    def tell_no_association(self, resource: Resource, username: str) -> None: ...

    def tell_memberships(self, resource: Resource, usernames: frozenset[str]) -> None: ...

    def tell_usage(self, resource: Resource, amounts: Amounts, on: datetime | None) -> None: ...

    def tell_user_usages(self, usage: str, amounts: Mapping[str, Decimal]) -> Mapping[str, str]: ...

    def register_agent(
        self, name: str, version: str, direction: str, *, has_started: bool
    ) -> None: ...


def usage_items(amounts: Amounts) -> list[dict[str, object]]:
    """Amounts as Waldur takes them: text keeps the two decimals that a float would not."""
    return [{"type": type_, "amount": str(amount)} for type_, amount in sorted(amounts.items())]
