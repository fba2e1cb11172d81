"""Who belongs to an account: associations on older servers, memberships where they are wanted."""

from dataclasses import replace

from tests.unit.agent.push.site import Site
from waldur_slurm.agent.model.marketplace import OrderState


def test_people_of_the_account_become_associations_and_leavers_are_dropped(older: Site) -> None:
    alpha = older.allocation("alpha", "ann", "bob")
    older.account("alpha", "ann", "eve")

    older.cycle().run()

    assert older.waldur.associations[alpha.uuid] == {"ann", "eve"}


def test_people_are_told_while_an_order_waits_for_the_customer(today: Site) -> None:
    today.waldur.offering = replace(today.waldur.offering, wants_memberships=True)
    alpha = today.allocation("alpha", "ann")
    today.cycle().run()
    today.waldur.place_terminate(alpha.uuid, OrderState.PENDING_CONSUMER)
    today.account("alpha", "ann", "bob")
    today.forget()

    today.cycle().run()

    assert [event.fields["users"] for event in today.heard("members.reported")] == [["ann", "bob"]]


def test_memberships_are_told_once_where_waldur_has_no_list(today: Site) -> None:
    today.waldur.offering = replace(today.waldur.offering, wants_memberships=True)
    alpha = today.allocation("alpha", "ann")
    assert [today.cycle().run().changes for _ in range(2)] == [1, 0]

    told = today.waldur.written("tell_memberships")
    assert [(write.subject, write.detail) for write in told] == [(alpha.uuid, frozenset({"ann"}))]


def test_memberships_are_told_as_soon_as_the_offering_wants_them(today: Site) -> None:
    today.allocation("alpha", "ann")
    assert today.cycle().plan().steps == ()
    assert today.cycle().run().is_idle

    today.waldur.offering = replace(today.waldur.offering, wants_memberships=True)
    today.cycle().run()

    assert len(today.waldur.written("tell_memberships")) == 1
