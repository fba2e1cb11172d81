"""Limits that Waldur cannot book: of a component to which the plan gives no price. Pure.

A change of an allocation's limits goes on its bill at once. Where the price is missing, Waldur
breaks with 500, and the order that changes them cannot be done either.
"""

from collections.abc import Iterator

from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, OfferedPlan, Offering

FOR_LIFE = "total"


def unpriced(
    offering: Offering, dialect: Dialect
) -> Iterator[tuple[OfferedPlan, tuple[ComponentType, ...]]]:
    """Each plan with the limited components that it needs a price for and has none.

    Today's Waldur passes over them, unless the limit holds for an allocation's whole life.
    """
    limited = [
        component.type
        for component in offering.components
        if component.billing_type == AccountingType.LIMIT
        and (dialect is not Dialect.TODAY or component.limit_period == FOR_LIFE)
    ]
    for plan in offering.plans:
        lacking = tuple(sorted(kind for kind in limited if kind not in plan.priced))
        if plan.is_used and lacking:
            yield plan, lacking
