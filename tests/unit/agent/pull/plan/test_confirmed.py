"""What Waldur is told, once a fresh reading of Slurm shows it."""

from tests.fakes.makers import resource
from waldur_slurm.agent.model.marketplace import OrderUuid, UserUuid
from waldur_slurm.agent.pull.plan.confirmed import confirmed
from waldur_slurm.agent.pull.plan.plan import Plan
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddUser,
    CompleteOrder,
    MakeOfferingUser,
    RemoveUser,
    SetLimits,
    TellAssociation,
    TellBackendId,
    TellNoAssociation,
)
from waldur_slurm.model.names import AccountName, UserName

ACCOUNT, ANN, BOB = AccountName("a"), UserName("ann"), UserName("bob")
ONE, OTHER = OrderUuid("1"), OrderUuid("2")


def test_an_order_with_work_left_in_slurm_is_not_told_and_others_are() -> None:
    left = SetLimits(account=ACCOUNT, limits=(), before={}, order=ONE)
    name = TellBackendId(resource=resource(), account=ACCOUNT, order=ONE)
    done = [
        CompleteOrder(resource=resource(), order=o, settles_resource=False) for o in (ONE, OTHER)
    ]

    assert list(confirmed(Plan((left, name, *done)))) == [done[1]]


def test_a_person_whose_place_is_still_to_be_changed_is_not_told() -> None:
    left = (
        AddUser(account=ACCOUNT, user=ANN),
        RemoveUser(account=ACCOUNT, user=BOB, reason="no longer in the team"),
    )
    ann = TellAssociation(resource=resource(), account=ACCOUNT, user=ANN)
    bob = TellNoAssociation(resource=resource(), account=ACCOUNT, user=BOB)

    assert list(confirmed(Plan((*left, ann, bob)))) == []
    assert list(confirmed(Plan((ann, bob)))) == [ann, bob]


def test_an_offering_user_needs_nothing_in_slurm() -> None:
    left = AddUser(account=ACCOUNT, user=ANN)
    made = MakeOfferingUser(user=UserUuid("u"), name="Ann")

    assert list(confirmed(Plan((left, made)))) == [made]
