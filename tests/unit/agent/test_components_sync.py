"""What loading components would do, and that it does no more."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.waldur import FakeMarketplace, fake_marketplace, offered_as
from waldur_slurm.agent.components_sync import (
    Action,
    ComponentChange,
    apply_components,
    plan_components,
)
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.model.tres import TresName

CPU = Component(
    tres=TresName("cpu"),
    type=ComponentType("cpu"),
    label="CPU",
    measured_unit="k-Hours",
    accounting_type=AccountingType.USAGE,
    limit=0,
    unit_factor=Decimal(60000),
)


def load(fake: FakeMarketplace, *components: Component) -> tuple[ComponentChange, ...]:
    changes = plan_components(fake.read_offering().components, components)
    apply_components(changes, fake)
    return changes


def test_what_is_missing_is_created_and_a_limit_of_nought_is_sent() -> None:
    fake = fake_marketplace()
    fake.offering = replace(fake.offering, components=())
    [change] = load(fake, CPU)
    assert change.action is Action.CREATE
    [held] = fake.offering.components
    assert (held.type, held.limit_amount) == ("cpu", 0)


def test_what_differs_is_updated_and_named() -> None:
    fake = fake_marketplace()
    [change] = load(fake, replace(CPU, label="Cores"))
    assert change.action is Action.UPDATE
    assert [str(one) for one in change.differences] == [
        "label: CPU -> Cores",
        "limit: not set -> 0",
    ]


def test_loading_again_changes_nothing() -> None:
    fake = fake_marketplace()
    load(fake, CPU, replace(CPU, type=ComponentType("node")))
    writes = len(fake.writes)
    changes = load(fake, CPU, replace(CPU, type=ComponentType("node")))
    assert [change.action for change in changes] == [Action.UNCHANGED, Action.UNCHANGED]
    assert len(fake.writes) == writes


def test_what_the_file_does_not_name_is_left_alone() -> None:
    fake = fake_marketplace()
    held = replace(offered_as(CPU, "c0"), min_value=3, description="by hand", limit_period="month")
    fake.offering = replace(fake.offering, components=(held,))
    [change] = load(fake, CPU)
    assert change.action is Action.UNCHANGED
    assert fake.offering.components == (held,)


def test_loading_that_was_cut_off_goes_on_where_it_stopped() -> None:
    fake = fake_marketplace()
    node, disk = replace(CPU, type=ComponentType("node")), replace(CPU, type=ComponentType("disk"))
    fake.fail_next("create_component", WaldurUnreachable("cut off"), after=True)
    with pytest.raises(WaldurUnreachable):
        load(fake, node, disk)
    changes = load(fake, node, disk)
    assert [change.action for change in changes] == [Action.UNCHANGED, Action.CREATE]
    assert [c.type for c in fake.offering.components].count(node.type) == 1
