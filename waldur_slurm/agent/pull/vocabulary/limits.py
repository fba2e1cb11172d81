"""From what was ordered to what Slurm enforces: exact, or refused in words for the customer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from waldur_slurm.agent.model.components import AccountingType, Component, NotOrdered
from waldur_slurm.agent.model.marketplace import RawLimits
from waldur_slurm.model.tres import Tres, TresName

ABSURD_TRES_MINUTES = 10**17
"""More than the largest machines could deliver in a century; Slurm counts to 2**64."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Limits that cannot be carried out, and what to tell the customer."""

    reason: str


LimitChange = tuple[tuple[TresName, int | None], ...]
"""TRES in order with their new amount; None clears one."""


def wanted_limits(components: Sequence[Component], ordered: RawLimits) -> Tres | Unusable:
    """Limits in TRES-minutes; a TRES that is missing is not limited.

    What is ordered and not sold is refused: taken for nothing, it would be granted without a limit.
    """
    sold = {component.type for component in components}
    if strange := sorted(set(ordered) - sold):
        return Unusable(f"This offering does not sell {', '.join(map(repr, strange))}.")
    limits: dict[TresName, int] = {}
    for component in components:
        amount = _amount(component, ordered)
        if isinstance(amount, Unusable):
            return amount
        if amount is not None:
            limits[component.tres] = amount
    return limits


def held_limits(components: Sequence[Component], held: RawLimits) -> Tres | Unusable:
    """The same of what Waldur holds; what was sold once and is not any more says nothing here."""
    sold = {component.type for component in components}
    return wanted_limits(components, {name: held[name] for name in held if name in sold})


def limit_change(wanted: Tres, found: Tres, ours: Collection[TresName]) -> LimitChange:
    """Lead from `found` to `wanted`; only TRES that are `ours` are ever cleared."""
    change: dict[TresName, int | None] = {
        tres: amount for tres, amount in wanted.items() if found.get(tres) != amount
    }
    change.update({tres: None for tres in found if tres in ours and tres not in wanted})
    return tuple(sorted(change.items()))


def lowers(change: LimitChange, found: Tres) -> bool:
    """Whether the change takes something away that could be used before."""
    return any(
        amount is not None and (tres not in found or amount < found[tres])
        for tres, amount in change
    )


def _amount(component: Component, ordered: RawLimits) -> int | Unusable | None:
    if component.accounting_type is AccountingType.USAGE:
        return component.to_tres_minutes(component.limit)
    if component.type not in ordered:
        return _not_ordered(component)
    units = ordered[component.type]
    if isinstance(units, float) and units.is_integer():
        units = int(units)
    if not isinstance(units, int) or isinstance(units, bool) or units < 0:
        return Unusable(f"The limit of {component.label} must be a whole number, 0 or more.")
    try:
        minutes = component.to_tres_minutes(units)
    except (ValueError, ArithmeticError):
        return Unusable(f"The limit of {component.label} cannot be counted exactly.")
    if minutes > ABSURD_TRES_MINUTES:
        return Unusable(f"The limit of {component.label} is more than any cluster could deliver.")
    return minutes


def _not_ordered(component: Component) -> int | Unusable | None:
    match component.when_not_ordered:
        case NotOrdered.UNLIMITED:
            return None
        case NotOrdered.ZERO:
            return 0
        case NotOrdered.REFUSE:
            return Unusable(f"The order must say how much {component.label} it is for.")
