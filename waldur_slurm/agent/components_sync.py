"""The offering's components against the TRES file: what to make, what to change, what is right.

What the file does not name is left alone: no component is removed, and a field that an entry
leaves out stays as Waldur has it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import OfferedComponent
from waldur_slurm.agent.waldur.port import Marketplace


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: what Waldur has now, and what the file says."""

    field: str
    held: object
    wanted: object

    def __str__(self) -> str:
        held = "not set" if self.held is None else self.held
        return f"{self.field}: {held} -> {self.wanted}"


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """One component of the file; `offered` is None where Waldur does not have it yet."""

    component: Component
    offered: OfferedComponent | None
    differences: tuple[Difference, ...] = ()

    @property
    def action(self) -> Action:
        if self.offered is None:
            return Action.CREATE
        return Action.UPDATE if self.differences else Action.UNCHANGED


def plan_components(
    offered: Iterable[OfferedComponent], wanted: Iterable[Component]
) -> tuple[ComponentChange, ...]:
    """One change for each component of the file, in its order."""
    held = {component.type: component for component in offered}
    return tuple(_change(held.get(component.type), component) for component in wanted)


def apply_components(changes: Sequence[ComponentChange], marketplace: Marketplace) -> int:
    """Tell Waldur what differs, and how many writes that took; safe to stop after any of them."""
    writes = 0
    for change in changes:
        match change.action:
            case Action.CREATE:
                marketplace.create_component(change.component)
            case Action.UPDATE if change.offered is not None:
                marketplace.update_component(change.offered, change.component)
            case _:
                continue
        writes += 1
    return writes


def _change(offered: OfferedComponent | None, component: Component) -> ComponentChange:
    if offered is None:
        return ComponentChange(component, None)
    pairs = [
        ("label", offered.name, component.label),
        ("measured_unit", offered.measured_unit, component.measured_unit),
        ("accounting_type", str(offered.billing_type), str(component.accounting_type)),
        ("limit", offered.limit_amount, component.limit),
        ("limit_period", offered.limit_period, component.limit_period),
        ("description", offered.description, component.description),
        ("article_code", offered.article_code, component.article_code),
        ("min_value", offered.min_value, component.min_value),
        ("max_value", offered.max_value, component.max_value),
    ]
    differences = (
        Difference(field, held, wanted)
        for field, held, wanted in pairs
        if wanted not in (None, "") and held != wanted
    )
    return ComponentChange(component, offered, tuple(differences))
