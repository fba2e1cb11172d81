"""What of Waldur's own state is worth one line in the log. Values."""

from collections.abc import Mapping
from dataclasses import dataclass

from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.model.marketplace import Dialect, OrderUuid, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An event's name, and what varies."""

    name: str
    fields: Mapping[str, object]
    is_trouble: bool = False
    needs_a_person: bool = False


def dialect_found(dialect: Dialect) -> Notice:
    return Notice(name="waldur.dialect_found", fields={"dialect": str(dialect)})


def order_unreadable(order: OrderUuid, error: str) -> Notice:
    fields = {"order": order, "error": error}
    return Notice(name="waldur.order_unreadable", fields=fields, is_trouble=True)


def row_unreadable(row: Unreadable) -> Notice:
    fields = {"kind": row.kind.value, "uuid": row.uuid, "error": row.error}
    return Notice(name="waldur.row_unreadable", fields=fields, is_trouble=True, needs_a_person=True)


def registration_failed(error: WaldurError) -> Notice:
    fields = {"error": str(error)}
    return Notice(name="waldur.registration_failed", fields=fields, is_trouble=True)
