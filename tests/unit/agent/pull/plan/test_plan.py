"""Plans made from values: what is desired in, steps out."""

from datetime import UTC, datetime

import pytest

from tests.fakes.makers import component, resource
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUuid,
    Order,
    OrderState,
    OrderType,
    OrderUuid,
    Resource,
)
from waldur_slurm.agent.pull.desired.allocations import Kept, New
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.plan import plan_desired
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddAccount,
    AddUser,
    CompleteOrder,
    TellBackendId,
)
from waldur_slurm.agent.pull.world.ownership import Ownership
from waldur_slurm.agent.pull.world.people import Turnover, roster_of
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.agent.pull.world.world import Answers, WaldurSide, World
from waldur_slurm.model.accounts import Account, NewAccount, Snapshot
from waldur_slurm.model.names import AccountName, UserName

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANN, HPC = UserName("ann"), AccountName("hpc_a")
PARENT, OTHER = AccountName("hpc_p"), AccountName("hpc_q")
ANSWERS = Answers(jobs={}, missing_unix_users=frozenset(), default_accounts={})


def desired(
    *resources: Resource, new: tuple[New, ...] = (), kept: tuple[Kept, ...] = ()
) -> Desired:
    world = World(
        offering=OfferingUuid("f" * 32),
        dialect=Dialect.TODAY,
        now=NOON,
        waldur=WaldurSide(
            orders=(), resources=resources, members={}, offering_users=(), shown=None
        ),
        snapshot=Snapshot({each.found.name: each.found for each in kept}),
        components=(component("cpu"),),
        policy=PullPolicy(),
    )
    return Desired(
        world=world,
        ownership=Ownership(world),
        roster=roster_of(world),
        new=list(new),
        kept=list(kept),
    )


def an_order() -> Order:
    held = resource()
    return Order(
        uuid=OrderUuid("d" * 32),
        type=OrderType.CREATE,
        state=OrderState.EXECUTING,
        created=NOON,
        resource=held.uuid,
        resource_name=held.name,
        project=held.project,
    )


def kept_at(parent: AccountName, found: Account) -> Kept:
    return Kept(
        resource=resource(backend_id=found.name),
        order=None,
        found=found,
        description=found.description,
        is_adopted=False,
        limits=None,
        people=(),
        turnover=Turnover((), ()),
        parent=parent,
    )


def test_a_new_allocation_has_its_account_before_its_people_and_waldur_hears_last() -> None:
    new = New(
        resource=resource(),
        order=an_order(),
        new=NewAccount(HPC, PARENT, "mark", PARENT),
        people=(ANN,),
        joiners=(ANN,),
    )

    plan = plan_desired(desired(resource(), new=(new,)), ANSWERS)

    assert [type(step) for step in plan.steps] == [
        AddAccount,
        AddUser,
        TellBackendId,
        CompleteOrder,
    ]
    assert [step.stage for step in plan.steps] == sorted(step.stage for step in plan.steps)
    assert plan.steps[0].stage is Stage.ALLOCATIONS


@pytest.mark.parametrize("found", [PARENT, OTHER])
def test_an_account_in_another_place_is_drift_and_stays(found: AccountName) -> None:
    kept = kept_at(PARENT, Account(HPC, "mark", parent=found))

    plan = plan_desired(desired(kept.resource, kept=(kept,)), ANSWERS)

    drifts = () if found == PARENT else (Drift(DriftKind.PARENT, HPC, OTHER, PARENT),)
    assert (plan.steps, plan.drifts) == ((), drifts)
