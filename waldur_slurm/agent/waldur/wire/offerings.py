"""Offerings and their components, both ways. Pure."""

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    OfferedComponent,
    OfferedPlan,
    Offering,
    OfferingUuid,
    UsagePolicy,
)
from waldur_slurm.agent.waldur.wire.reading import canonical, read_row
from waldur_slurm.agent.waldur.wire.rows import (
    OfferedComponentRow,
    OfferingRow,
    PlanRow,
    UsagePolicyRow,
)


def parse_offering(raw: object, where: str) -> Offering:
    row = read_row(OfferingRow, raw, where)
    options = row.plugin_options or {}
    return Offering(
        uuid=OfferingUuid(canonical(row.uuid)),
        name=row.name,
        state=row.state,
        customer_uuid=CustomerUuid(canonical(row.customer_uuid)),
        components=tuple(_offered(component) for component in row.components),
        plans=tuple(filter(None, map(_plan, row.plans or ()))),
        wants_memberships=options.get("enable_membership_sync_status") is True,
        passes_messages=options.get("enable_provider_consumer_messaging") is True,
    )


def parse_offering_type(raw: object, where: str) -> str:
    return read_row(OfferingRow, raw, where).type


def parse_usage_policy(raw: object, where: str) -> tuple[str, UsagePolicy]:
    """The policy, and the uuid of the offering whose it is."""
    row = read_row(UsagePolicyRow, raw, where)
    governs = (ComponentType(each.type) for each in row.component_limits_set if each.type)
    policy = UsagePolicy(
        limit_type=row.limit_type,
        carries_over=row.carryover_enabled,
        resets_usage=row.raw_usage_reset,
        governs=tuple(sorted(governs)),
    )
    return canonical(row.scope_uuid), policy


def component_to_wire(component: Component) -> dict[str, object]:
    """What the TRES file says and nothing else; 0 is a value, what is left out stays."""
    told: dict[str, object] = {
        "billing_type": str(component.accounting_type),
        "type": component.type,
        "name": component.label,
        "measured_unit": component.measured_unit,
        "limit_amount": component.limit,
    }
    optional: dict[str, object] = {
        "limit_period": component.limit_period,
        "description": component.description,
        "article_code": component.article_code,
        "min_value": component.min_value,
        "max_value": component.max_value,
    }
    return told | {name: value for name, value in optional.items() if value not in (None, "")}


def _plan(raw: object) -> OfferedPlan | None:
    """Plans only explain what else goes wrong: one that cannot be read stops nothing."""
    try:
        row = read_row(PlanRow, raw, "plan")
    except UnexpectedPayload:
        return None
    priced = frozenset(map(ComponentType, row.prices or ()))
    is_used = not row.archived or row.resources_count != 0
    return OfferedPlan(row.uuid, row.name, priced, is_used)


def _offered(row: OfferedComponentRow) -> OfferedComponent:
    return OfferedComponent(
        uuid=canonical(row.uuid),
        type=ComponentType(row.type),
        name=row.name,
        measured_unit=row.measured_unit,
        billing_type=_billing(row.billing_type),
        limit_amount=row.limit_amount,
        limit_period=row.limit_period or None,
        description=row.description,
        article_code=row.article_code,
        min_value=row.min_value,
        max_value=row.max_value,
    )


def _billing(text: str) -> AccountingType | str:
    try:
        return AccountingType(text)
    except ValueError:
        return text
