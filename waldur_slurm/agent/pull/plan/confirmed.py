"""What of a plan is confirmed: Waldur is told of an order when Slurm lacks nothing for it. Pure."""

from collections.abc import Iterator
from typing import assert_never

from waldur_slurm.agent.pull.plan.plan import Plan
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddUser,
    CompleteOrder,
    DeleteOfferingUser,
    MakeOfferingUser,
    RemoveUser,
    SlurmStep,
    TellAssociation,
    TellBackendId,
    Telling,
    TellNoAssociation,
)


def slurm_steps(plan: Plan) -> list[SlurmStep]:
    return [step for step in plan.steps if isinstance(step, SlurmStep)]


def confirmed(plan: Plan) -> Iterator[Telling]:
    """What a plan made from a fresh reading tells, but for what has something left to do."""
    left = slurm_steps(plan)
    orders = {step.order for step in left} - {None}
    people = {(s.account, s.user) for s in left if isinstance(s, AddUser | RemoveUser)}
    for step in plan.steps:
        if not isinstance(step, Telling):
            continue
        match step:
            case TellAssociation() | TellNoAssociation() if (step.account, step.user) in people:
                continue
            case MakeOfferingUser() | DeleteOfferingUser():
                yield step
            case TellBackendId() | CompleteOrder() | TellAssociation() | TellNoAssociation():
                if step.order not in orders:
                    yield step
            case _:
                assert_never(step)
