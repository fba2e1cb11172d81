"""What Waldur holds after a push cycle, and what a cycle never does."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.slurm import FakeSlurm
from tests.fakes.waldur import FakeMarketplace
from tests.unit.agent.push.site import CPU, GPU, HOUR, MEM, NOON, Site
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.marketplace import HeldUsage, OrderState, ResourceState
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.policy import Consent
from waldur_slurm.agent.push.reader import ClocksDiffer
from waldur_slurm.errors import AccountingDown, SlurmError
from waldur_slurm.model.jobs import JobRecord, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName

NOVEMBER = Month(2026, 11)


def test_a_job_arrives_as_usage_of_its_account_and_of_its_user(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4, mem=2048)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("8.00")
    assert site.held(alpha, MEM, NOVEMBER) == Decimal("4.00")
    assert site.held_by(alpha, "ann") == Decimal("8.00")
    assert report.failures == ()


def test_an_unchanged_cluster_costs_waldur_no_write(site: Site) -> None:
    site.allocation("alpha", "ann", gpu=7)
    site.allocation("idle")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=4, mem=2048)
    site.cycle().run()
    site.forget()

    report = site.cycle().run()

    assert site.told == []
    assert report.is_idle
    assert site.events == []


def test_a_running_job_counts_up_to_now(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - HOUR)
    site.cycle().run()

    site.move_to(NOON + 2 * HOUR)
    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("3.00")


@pytest.mark.parametrize("silent", ["read_outline", "read_queue", "read_job_records"])
def test_while_slurm_is_silent_nothing_is_told_and_the_next_cycle_is_right(
    site: Site, silent: str
) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.slurm.fail_next(AccountingDown(("sacct",), 1, "Connection refused"), silent)

    with pytest.raises(SlurmError):
        site.cycle().run()
    assert site.told == []

    site.cycle().run()
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_one_unreadable_record_keeps_back_its_own_account_only(site: Site) -> None:
    alpha, beta = site.allocation("alpha", "ann"), site.allocation("beta", "bob")
    for account, user in (("alpha", "ann"), ("beta", "bob")):
        site.job(account, user, NOON - 3 * HOUR, NOON - HOUR)
    site.slurm.unreadable = [UnreadableRecord(("7", "alpha", "ann", "??"), "no amount: '??'")]

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) is None
    assert site.held(beta, CPU, NOVEMBER) == Decimal("2.00")
    (refusal,) = report.refusals
    assert (refusal.kind, refusal.subject) == (RefusalKind.IN_DOUBT, "alpha")
    assert "no amount: '??'" in refusal.reason


def test_a_refused_report_is_that_allocations_trouble_alone(site: Site) -> None:
    alpha, beta = site.allocation("alpha", "ann"), site.allocation("beta", "bob")
    for account, user in (("alpha", "ann"), ("beta", "bob")):
        site.job(account, user, NOON - 3 * HOUR, NOON - HOUR)
    site.waldur.fail_next("tell_usage", WaldurUnreachable("502"))

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) is None
    assert site.held(beta, CPU, NOVEMBER) == Decimal("2.00")
    assert [failure.step.resource.backend_id for failure in report.failures] == ["alpha"]


class ForgetfulWaldur:
    """Lists no usage any more, once some has been told."""

    def __init__(self, waldur: FakeMarketplace) -> None:
        self._waldur = waldur

    def __getattr__(self, name: str) -> Any:
        return getattr(self._waldur, name)

    def read_usages(self, month: Month) -> tuple[HeldUsage, ...]:
        return () if self._waldur.written("tell_usage") else self._waldur.read_usages(month)


def test_an_allocation_is_not_erred_while_waldur_does_not_list_what_it_was_told(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    for name in ("beta", "gamma"):
        site.allocation(name, "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.drop_account("alpha")
    cycle = site.cycle()
    cycle.marketplace = ForgetfulWaldur(site.waldur)

    report = cycle.run()

    assert [failure.error.transient for failure in report.failures] == [True]
    assert site.state_of(alpha) is ResourceState.OK
    site.cycle().run()
    assert site.held_by(alpha, "ann") == Decimal("2.00")
    assert site.state_of(alpha) is ResourceState.ERRED


def test_a_waldur_that_stays_silent_is_left_alone_after_a_few_tries(site: Site) -> None:
    for number in range(9):
        site.allocation(f"a{number}", "ann")
        site.job(f"a{number}", "ann", NOON - 3 * HOUR, NOON - HOUR)
    for _ in range(9):
        site.waldur.fail_next("tell_usage", WaldurUnreachable("502"))

    report = site.cycle().run()

    assert len(report.failures) == 3


def test_usage_of_an_unknown_user_counts_in_the_total_and_is_listed(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "stranger", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert site.held_by(alpha, "stranger") is None
    assert [(each.account, each.user) for each in report.unlisted] == [("alpha", "stranger")]


def test_an_account_that_two_resources_name_is_reported_for_neither(site: Site) -> None:
    alpha, twin = site.allocation("alpha", "ann"), site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) is None
    assert site.held(twin, CPU, NOVEMBER) is None
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.CONTESTED]


def test_a_small_decrease_is_sent_and_audited_with_its_reason(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 40 * timedelta(days=1), NOON - 39 * timedelta(days=1))
    site.job("alpha", "ann", NOON - 100 * HOUR, NOON)
    site.job("other", "bob", NOON.replace(day=1) - HOUR - timedelta(days=1), NOON.replace(day=1))
    site.hold(alpha, CPU, NOVEMBER, "102.00")

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("100.00")
    (event,) = site.heard("usage.decreased")
    assert event.is_change
    assert event.fields["before"] == {"cpu": "102.00"}
    assert event.fields["amounts"] == {"cpu": "100.00"}
    assert "reason" in event.fields


def test_a_large_decrease_waits_for_a_persons_word(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 100 * HOUR, NOON)
    site.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    site.hold(alpha, CPU, NOVEMBER, "110.00")

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("110.00")
    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.DECREASE]

    site.cycle().run(Consent(allow_decrease=True))

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("100.00")


def test_many_small_decreases_in_a_day_are_judged_as_one(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    job = site.job("alpha", "ann", NOON - 100 * HOUR, NOON)

    def falls_to(hours: int, after: timedelta, **consent: bool) -> Decimal | None:
        """What Waldur holds after a cycle, where the job turns out to have held so much."""
        job.end = NOON - (100 - hours) * HOUR
        site.move_to(site.now + after)
        site.cycle().run(Consent(**consent))
        return site.held(alpha, CPU, NOVEMBER)

    assert falls_to(100, HOUR) == 100
    assert falls_to(97, HOUR) == 97
    assert falls_to(96, HOUR) == 96
    assert falls_to(94, HOUR) == 96
    assert falls_to(94, 24 * HOUR) == 94
    assert falls_to(90, HOUR) == 94
    assert falls_to(90, HOUR, allow_decrease=True) == 90
    assert falls_to(89, HOUR) == 89


def test_a_peak_that_a_clock_years_ahead_noted_judges_nothing(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    site.job("alpha", "ann", NOON - 97 * HOUR, NOON)
    site.hold(alpha, CPU, NOVEMBER, "100.00")
    ahead = int(NOON.replace(year=2036).timestamp())
    key = f"{NOVEMBER}/{alpha.uuid}/cpu"
    site.state.replace("journal/peaks", {key: {"amount": "900.00", "at": ahead}})

    assert site.cycle().run().refusals == ()
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("97.00")


def test_no_decrease_is_sent_for_a_month_whose_records_may_be_purged(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 100 * HOUR, NOON)
    site.hold(alpha, CPU, NOVEMBER, "101.00")

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("101.00")
    (refusal,) = report.refusals
    assert "purged" in refusal.reason


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


@pytest.mark.parametrize("wants_memberships", [True, False])
def test_a_cycle_makes_as_many_changes_as_its_plan_has_steps(
    site: Site, wants_memberships: bool
) -> None:
    site.waldur.offering = replace(site.waldur.offering, wants_memberships=wants_memberships)
    for account, user in (("alpha", "ann"), ("beta", "bob")):
        site.allocation(account, user)
        site.job(account, user, NOON - 3 * HOUR, NOON - HOUR)

    planned = site.cycle().plan().steps

    assert site.cycle().run().changes == len(planned) > 0


def test_push_writes_nothing_to_slurm(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.allocation("gone", "bob")
    site.drop_account("gone")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    site.cycle().run()

    assert {name for name in site.slurm.calls if not name.startswith("read_")} == set()


def test_a_plan_tells_nobody_and_remembers_nothing(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - HOUR)

    plan = site.cycle().plan()

    assert plan.steps
    assert site.told == []
    assert site.state.read("journal/runs") == {}


def test_clocks_that_differ_tell_nothing(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.waldur.now = NOON + HOUR

    with pytest.raises(ClocksDiffer, match="clock"):
        site.cycle().run()
    assert site.told == []


def test_an_erred_resource_takes_no_usage(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.waldur._change(alpha, state=ResourceState.ERRED)
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    assert site.waldur.written("tell_usage") == []
    assert report.failures == ()


def test_components_that_the_offering_lacks_are_named_and_the_rest_is_told(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    offered = tuple(c for c in site.waldur.offering.components if c.type != MEM)
    site.waldur.offering = type(site.waldur.offering)(
        uuid=site.waldur.offering.uuid,
        name="Cluster",
        state="Active",
        customer_uuid=site.waldur.offering.customer_uuid,
        components=offered,
    )
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, mem=1024, gpu=1)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert site.held(alpha, GPU, NOVEMBER) == Decimal("2.00")
    assert [(r.kind, r.subject) for r in report.refusals] == [(RefusalKind.NOT_OFFERED, "mem")]


def test_a_cycle_that_takes_hours_is_right_for_the_moment_it_began(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - HOUR)
    site.slurm = SlowSlurm(now=NOON, jobs=site.slurm.jobs)
    site.slurm.clock = site.move_to
    site.account("alpha", "ann")

    site.cycle().run()

    assert site.now > NOON + HOUR
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("1.00")


class SlowSlurm(FakeSlurm):
    """Half an hour passes with every reading of records."""

    clock: Callable[[datetime], None]

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        self.clock(self.now + timedelta(minutes=30))
        return super().read_job_records(window)


def test_memory_does_not_grow_with_the_number_of_jobs(today: Site) -> None:
    few, many = measured_peak(today, 2_000), measured_peak(today, 50_000)

    assert many < 2 * few + 100_000


def measured_peak(site: Site, jobs: int) -> int:
    """The most memory that reading a day of so many jobs took, in bytes."""
    site.slurm = CrowdedSlurm(now=NOON, crowd=jobs)
    tracemalloc.start()
    meter = Meter(site.slurm, site.state, ZoneInfo("UTC"), [TresName("cpu")])
    day = Window(NOON - HOUR, NOON)
    (measurement,) = meter.measure_days(day, NOON, [AccountName("alpha")]).values()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(measurement.tally.values()) == jobs * 60
    return peak


@dataclass
class CrowdedSlurm(FakeSlurm):
    """So many short jobs of one account, made while they are read."""

    crowd: int = 0

    def read_job_records(self, window: Window) -> Iterator[JobRecord | UnreadableRecord]:
        for number in range(self.crowd):
            yield JobRecord(
                id=str(number),
                account=AccountName("alpha"),
                user=UserName(f"u{number % 50}"),
                state="COMPLETED",
                submitted=window.start,
                start=window.start,
                end=window.end,
                seconds=60,
                allocated={TresName("cpu"): 1},
                requested={TresName("cpu"): 1},
            )


def test_a_runaway_job_is_told_to_people_once(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.slurm.runaway = [site.job("alpha", "ann", NOON - 30 * HOUR)]
    cycle = site.cycle()

    reports = [cycle.run() for _ in range(3)]

    assert [len(report.runaways) for report in reports] == [1, 1, 1]
    (event,) = site.heard("job.runaway")
    assert (event.fields["account"], event.fields["counted_until"]) == ("alpha", "never")
