"""What Waldur holds of usage: totals, and what each person used of them. Pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

import msgspec

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import HeldUsage, HeldUserUsage, ResourceUuid
from waldur_slurm.agent.waldur.wire.reading import canonical, last_uuid, read_row
from waldur_slurm.agent.waldur.wire.rows import UsageRow, UserUsageRow
from waldur_slurm.model.period import Month


def parse_usage(raw: object, where: str) -> HeldUsage:
    row = read_row(UsageRow, raw, where)
    return HeldUsage(
        uuid=canonical(row.uuid),
        resource=ResourceUuid(canonical(row.resource_uuid)),
        component=ComponentType(row.type),
        month=_month(row.billing_period, where),
        amount=_decimal(row.usage, where),
        # Servers that make one total of a month's rows are known by this field alone.
        is_of_total=row.missing_usage_policy is not msgspec.UNSET,
    )


def parse_user_usage(
    raw: object, where: str, held: Mapping[str, HeldUsage]
) -> HeldUserUsage | None:
    """None where its component usage is not among those in `held`, by uuid: another month's."""
    row = read_row(UserUsageRow, raw, where)
    usage = held.get(last_uuid(row.component_usage))
    if usage is None:
        return None
    return HeldUserUsage(
        usage=usage.uuid,
        resource=usage.resource,
        component=usage.component,
        month=usage.month,
        username=row.username,
        amount=_decimal(row.usage, where),
    )


def _month(text: str, where: str) -> Month:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UnexpectedPayload(f"{where}: not a billing period: {text[:80]!r}") from error
    return Month(day.year, day.month)


def _decimal(amount: str | int | float, where: str) -> Decimal:
    """Some twenty digits on each side: to calculate with `1e999999999` would take all memory."""
    text = str(amount)
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise UnexpectedPayload(f"{where}: not an amount: {text[:80]!r}") from error
    if not number.is_finite() or len(text) > 64 or not -20 <= number.adjusted() <= 20:
        raise UnexpectedPayload(f"{where}: not an amount: {text[:80]!r}")
    return number
