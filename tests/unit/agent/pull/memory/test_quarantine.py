"""What fails again and again rests for growing pauses, and delays nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.pull_sites import PoisonedSlurm, many_orders
from waldur_slurm.agent.model.marketplace import OrderState
from waldur_slurm.agent.pull.memory.quarantine import Rest, after_cycle, resting
from waldur_slurm.agent.pull.vocabulary.failures import Failure
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddUser
from waldur_slurm.errors import CommandFailed, TransportError
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.slurm.accounting.port import Outcome

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    return new_site()


def test_what_fails_rests_for_growing_pauses(site: Site) -> None:
    many_orders(site, 0, poison="poison")
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__
    tried: list[bool] = []
    for _ in range(16):
        tried.append(bool(site.run().failures))
        site.wait(timedelta(minutes=1))

    assert [number for number, was in enumerate(tried) if was] == [0, 1, 3, 7, 15]


def states(site: Site) -> set[OrderState]:
    return {order.state for order in site.waldur.orders.values()}


def test_a_cured_order_is_done_and_forgotten(site: Site) -> None:
    many_orders(site, 0, poison="poison")
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__
    report = site.run()
    assert report.quarantined
    site.wrap_slurm = lambda slurm: slurm
    assert [r.kind for r in site.run().refusals] == [RefusalKind.QUARANTINED]

    site.wait(timedelta(minutes=2))
    report = site.run()

    assert states(site) == {OrderState.DONE}
    assert report.quarantined == ()


def test_pauses_end_after_six_hours_and_survive_a_clock_that_jumps() -> None:
    failure = Failure(
        AddUser(account=AccountName("a"), user=UserName("u")), CommandFailed(("x",), 1, "no")
    )
    entries: dict[str, Rest] = {}
    for _ in range(50):
        entries = after_cycle(entries, [failure], NOON, is_whole=True)

    assert list(resting(entries, NOON)) == ["a/u"]
    assert resting(entries, NOON + timedelta(hours=6)) == {}
    assert resting(entries, NOON - timedelta(days=1)) == {}


def test_transient_trouble_is_no_ones_fault() -> None:
    failure = Failure(AddUser(account=AccountName("a"), user=UserName("u")), TransportError("gone"))

    assert after_cycle({}, [failure], NOON, is_whole=True) == {}


def test_only_a_whole_cycle_forgets_what_may_be_tried_again() -> None:
    over = {"order": Rest(3, NOON - timedelta(minutes=1), "no")}

    assert after_cycle(over, [], NOON, is_whole=False) == over
    assert after_cycle(over, [], NOON, is_whole=True) == {}


def test_a_cycle_that_breaks_off_remembers_how_often_something_failed(site: Site) -> None:
    many_orders(site, 0, poison="poison")
    site.wrap_slurm = lambda slurm: PoisonedSlurm(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__
    site.run()
    site.wait(timedelta(minutes=5))
    site.run()
    site.wait(timedelta(minutes=5))

    site.slurm.fail_next(TransportError("slurmctld is down"), on="add_accounts")
    site.wrap_slurm = lambda slurm: slurm
    with pytest.raises(TransportError):
        site.run()

    (rest,) = site.state.read("journal/quarantine").values()
    assert rest["failures"] == 2


def test_a_cycle_that_breaks_off_tells_what_failed_before(site: Site) -> None:
    allocation = served(site, "ann")
    site.waldur.add_member(allocation.project, "bob")
    many_orders(site, 0, poison="poison")
    site.wrap_slurm = lambda slurm: DownAtUsers(slurm, "poison")  # type: ignore[assignment, return-value]  # a port by __getattr__

    with pytest.raises(TransportError):
        site.run()

    failed = [event for event in site.events if event.name == "step.failed"]
    assert [event.fields["error"] for event in failed] == ["sacctmgr exited 1: Invalid"]


class DownAtUsers(PoisonedSlurm):
    """Goes down when the first people are to be added."""

    def add_users(self, memberships: dict[AccountName, list[UserName]]) -> Outcome:
        raise TransportError(f"slurmdbd is down: {memberships}")
