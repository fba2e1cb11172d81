"""Values that many tests need, each made in one place: a test names only what it is about."""

from dataclasses import replace
from decimal import Decimal

from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    Project,
    ProjectUuid,
    Resource,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.model.tres import tres_name


def component(
    type_: str,
    billed: AccountingType = AccountingType.LIMIT,
    *,
    tres: str = "",
    factor: Decimal | int = 60,
    **changes: object,
) -> Component:
    """A component of the TRES file; its TRES is called as its type unless `tres` says otherwise."""
    made = Component(
        tres=tres_name(tres or type_),
        type=ComponentType(type_),
        label=type_,
        measured_unit="hours",
        accounting_type=billed,
        limit=1000,
        unit_factor=Decimal(factor),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's typo fails at once


def project(**changes: object) -> Project:
    made = Project(
        uuid=ProjectUuid("b" * 32),
        name="Physics",
        slug="physics",
        customer_uuid=CustomerUuid("c" * 32),
        customer_name="Science",
        customer_slug="science",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's typo fails at once


def resource(**changes: object) -> Resource:
    made = Resource(
        uuid=ResourceUuid("0123456789abcdef" * 2),
        name="My First Allocation!",
        slug="my-first",
        state=ResourceState.OK,
        backend_id="",
        project=project(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's typo fails at once
