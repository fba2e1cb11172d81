"""What `transition` and `classic` share: a hidden allocation behind every resource.

The allocation has states of its own. Work that was begun and is then called ok completes the order
by itself; an allocation that was never called ok makes later updates fail when they are approved.
"""

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import OrderUuid, Resource, ResourceState
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession

_BEGINNINGS = {ResourceState.CREATING: "creating", ResourceState.UPDATING: "updating"}
_WAY_BACK = ("update_scheduled", "updating")


class OlderDialect:
    """The intents that go through the hidden allocation, and those that do not exist yet."""

    takes_associations = True

    def __init__(self, session: WaldurSession) -> None:
        self._session = session

    # Unused: this dialect has no place for it.
    def reject_order(self, order: OrderUuid, reason: str) -> None:  # noqa: ARG002
        """There is no place for the reason in these dialects."""
        self._session.marketplace_order_reject_by_provider(order)

    def tell_order_message(self, order: OrderUuid, message: str) -> None:
        """Not known here: a customer reads a word on an order only when it has erred."""

    def tell_limits(self, resource: Resource, limits: Mapping[ComponentType, int]) -> None:
        self._allocation(
            resource, "set_limits", {str(name): limit for name, limit in limits.items()}
        )

    def tell_work_begun(self, resource: Resource) -> None:
        """Repeated after a crash, the allocation has moved on already: that is as good."""
        beginning = _BEGINNINGS.get(resource.state)
        if beginning is not None:
            self._set_state(resource, beginning, is_settled=True)

    def tell_resource_ok(self, resource: Resource) -> None:
        """An erred resource comes back through an update in which nothing is left to do."""
        if resource.state is ResourceState.ERRED:
            for state in _WAY_BACK:
                self._set_state(resource, state, is_settled=True)
        self._set_state(resource, "ok")

    # Unused: this dialect has no place for it.
    def tell_resource_erred(self, resource: Resource, message: str) -> None:  # noqa: ARG002
        """The allocation takes no message, and takes the resource with it."""
        self._set_state(resource, "erred")

    def list_associations(self) -> list[Any]:
        rows: list[Any] = self._session.list_slurm_associations({})
        return rows

    def tell_association(self, resource: Resource, username: str) -> None:
        self._allocation(resource, "create_association", {"username": username})

    def tell_no_association(self, resource: Resource, username: str) -> None:
        try:
            self._allocation(resource, "delete_association", {"username": username})
        except WaldurRejected as error:
            if error.status != HTTPStatus.BAD_REQUEST or "does not exist" not in error.said:
                raise

    def tell_memberships(self, resource: Resource, usernames: frozenset[str]) -> None:
        """Associations say it here."""

    def tell_user_usages(self, usage: str, amounts: Mapping[str, Decimal]) -> Mapping[str, str]:
        refused = {}
        for username, amount in sorted(amounts.items()):
            try:
                self._session.create_component_user_usage(usage, str(amount), username)
            except WaldurRejected as error:
                if error.status != HTTPStatus.BAD_REQUEST:
                    raise
                refused[username] = error.said
        return refused

    def register_agent(self, name: str, version: str, direction: str, *, has_started: bool) -> None:
        """Not known here: the User-Agent is all that Waldur sees."""

    def _set_state(self, resource: Resource, state: str, *, is_settled: bool = False) -> None:
        try:
            self._allocation(resource, "set_state", {"state": state})
        except WaldurRejected as error:
            if error.status != HTTPStatus.CONFLICT or not is_settled:
                raise

    def _allocation(self, resource: Resource, action: str, said: Mapping[str, object]) -> None:
        """Waldur makes the allocation a moment after approval: until then it is not there."""
        try:
            self._session.act(Endpoints.MarketplaceSlurmRemote, resource.uuid, action, said)
        except WaldurRejected as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise WaldurUnreachable(f"{error}: the allocation is not there yet") from error
            raise
