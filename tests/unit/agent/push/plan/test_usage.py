"""What is told of a month: totals, people, and no decrease that nobody vouches for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.unit.agent.push.site import (
    CPU,
    EDGE,
    GPU,
    HOUR,
    MEM,
    NOON,
    NOVEMBER,
    Altered,
    Site,
    debts,
    with_a_debt,
    with_totals,
    with_two_rows,
)
from waldur_slurm.agent.model.marketplace import HeldUsage, ResourceState
from waldur_slurm.agent.push.news import CycleReport
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.policy import Consent
from waldur_slurm.agent.push.plan.usage import has_decreases
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.names import UserName


def test_where_records_may_be_purged_what_rises_is_still_told(site: Site) -> None:
    alpha, beta = site.allocation("alpha", "ann"), site.allocation("beta", "bob")
    site.job("beta", "bob", NOON - 3 * HOUR, NOON - HOUR)
    site.hold(alpha, CPU, NOVEMBER, "0.01")

    report = site.cycle().run()

    assert [refusal.subject for refusal in report.refusals] == ["alpha"]
    assert site.held(beta, CPU, NOVEMBER) == Decimal("2.00")


def test_usage_that_turns_out_to_be_somebody_elses_is_taken_back(site: Site) -> None:
    alpha = site.allocation("alpha", "ann", "bob")
    job = site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    site.cycle().run()
    job.user = UserName("bob")

    site.cycle().run()

    assert site.held_by(alpha, "ann") == 0
    assert site.held_by(alpha, "bob") == Decimal("2.00")


def test_rows_of_two_plans_are_judged_by_their_sum(site: Site) -> None:
    with_two_rows(site, "1.50", "0.50")

    report = site.cycle().run()

    assert (report.refusals, site.told) == ((), [])


def test_rows_of_two_plans_that_are_wrong_are_shown_and_left_alone(site: Site) -> None:
    with_two_rows(site, "1.00", "2.00")
    beta = site.allocation("beta", "bob")
    site.job("beta", "bob", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    (refusal,) = report.refusals
    assert report.failures == ()
    assert (refusal.kind, refusal.subject) == (RefusalKind.SPLIT, "alpha")
    assert "3.00 in all" in refusal.reason
    assert "2.00 was measured" in refusal.reason
    assert {write.subject for write in site.waldur.written("tell_usage")} == {beta.uuid}
    assert site.held_by(beta, "bob") == Decimal("2.00")


def test_once_the_month_is_closed_such_rows_are_a_debt(today: Site) -> None:
    today.waldur.refuses_past_months = False
    with_two_rows(today, "1.00", "2.00")
    today.move_to(datetime(2026, 12, 1, 2, tzinfo=UTC))

    today.cycle().run()

    assert debts(today) == [(NOVEMBER, CPU, Decimal("2.00"))]
    assert today.waldur.written("tell_usage") == []


def test_where_waldur_makes_the_total_of_its_rows_it_is_told_the_months(today: Site) -> None:
    alpha = with_totals(today, "0.25", "1.50")

    report = today.cycle().run()

    assert report.refusals == ()
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("0.50")
    assert today.held_by(alpha, "ann") is None
    today.forget()
    assert today.cycle().run().is_idle
    assert today.told == []


def test_a_total_that_waldur_cannot_make_is_told_once_and_shown(today: Site) -> None:
    alpha = with_totals(today, "0.25", "2.05")

    report = today.cycle().run()

    assert today.held(alpha, CPU, NOVEMBER) == Decimal("0.00")
    assert [(r.kind, r.subject) for r in report.refusals] == [(RefusalKind.SPLIT, "alpha")]
    assert "of the plans before" in report.refusals[0].reason
    today.forget()
    again = today.cycle().run()
    assert (today.told, [r.kind for r in again.refusals]) == ([], [RefusalKind.SPLIT])


def test_a_total_that_waldur_did_not_make_is_told_again_once_its_rows_are_one(today: Site) -> None:
    alpha = with_totals(today, "0.25", "2.05")
    today.cycle().run()
    today.waldur.usages_in_other_plans.clear()
    today.hold(alpha, CPU, NOVEMBER, "0.25")

    report = today.cycle().run()

    assert (report.refusals, report.owed) == ((), ())
    assert today.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_totals_of_several_rows_are_told_again_beside_what_changes(today: Site) -> None:
    alpha = with_totals(today, "0.25", "1.75")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=0, gpu=1)

    today.cycle().run()

    assert today.waldur.current_usages[alpha.uuid] == {CPU: Decimal("2.00"), GPU: Decimal("2.00")}


def test_rows_that_waldur_adds_up_by_itself_alone_are_not_told_beside_others(today: Site) -> None:
    alpha = with_two_rows(today, "0.25", "1.75")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR, cpu=0, gpu=1)

    today.cycle().run()

    assert today.waldur.current_usages[alpha.uuid] == {GPU: Decimal("2.00")}


@pytest.mark.parametrize(("held", "is_sent"), [("105.26", True), ("105.27", False)])
def test_a_decrease_by_as_much_as_may_be_is_sent(today: Site, held: str, is_sent: bool) -> None:
    """By 5 per cent: 5.263 of 105.26 CPU hours may go at once, and nothing beyond."""
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 100 * HOUR, NOON)
    today.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    today.hold(alpha, CPU, NOVEMBER, held)

    today.cycle().run()

    assert (today.held(alpha, CPU, NOVEMBER) == 100) is is_sent


def test_a_decrease_to_the_very_edge_is_sent(today: Site) -> None:
    today.policy["max_decrease"] = Fraction(1, 2)
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 100 * HOUR, NOON)
    today.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    today.hold(alpha, CPU, NOVEMBER, "200.00")

    assert today.cycle().run().refusals == ()
    assert today.held(alpha, CPU, NOVEMBER) == 100


def test_what_does_not_fall_asks_for_no_records_of_the_time_before(today: Site) -> None:
    alpha = today.allocation("alpha", "ann")
    today.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    today.cycle().run()
    reader = today.cycle().reader
    world = reader.read_world((alpha,), reader.book_open_months(), Snapshot({}), Consent())

    assert not has_decreases(world, NOVEMBER)
    usages = {NOVEMBER: {(alpha.uuid, CPU): Decimal("2.01")}}
    fallen = replace(world, waldur=replace(world.waldur, usages=usages))
    assert has_decreases(fallen, NOVEMBER)
    erred = replace(alpha, state=ResourceState.ERRED)
    assert not has_decreases(
        replace(fallen, waldur=replace(fallen.waldur, resources=(erred,))), NOVEMBER
    )


def test_whose_usage_it_was_is_not_told_where_the_total_is_not(older: Site) -> None:
    with_a_debt(older)
    assert older.waldur.written("tell_user_usages") == []

    older.job("alpha", "ann", EDGE + HOUR, EDGE + 2 * HOUR)
    older.move_to(datetime(2026, 11, 30, 23, 58, tzinfo=UTC))
    older.cycle().run()
    assert older.told == []


def test_usage_of_an_unknown_user_counts_in_the_total_and_is_listed(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "stranger", NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")
    assert site.held_by(alpha, "stranger") is None
    assert [(each.account, each.user) for each in report.unlisted] == [("alpha", "stranger")]


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
    assert site.waldur.written("tell_user_usages") == []

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


def test_no_decrease_is_sent_for_a_month_whose_records_may_be_purged(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 100 * HOUR, NOON)
    site.hold(alpha, CPU, NOVEMBER, "101.00")

    report = site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("101.00")
    (refusal,) = report.refusals
    assert "purged" in refusal.reason


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


def test_a_person_whom_waldur_has_refused_is_listed_and_not_sent_again(today: Site) -> None:
    alpha = today.allocation("alpha", "ann", "bob")
    for user in ("ann", "bob"):
        today.job("alpha", user, NOON - 3 * HOUR, NOON - HOUR)
    take, asked = today.waldur.tell_user_usages, list[set[str]]()

    def refuse_ann(usage: HeldUsage, amounts: Mapping[str, Decimal]) -> Mapping[str, str]:
        asked.append(set(amounts))
        take(usage, {name: amount for name, amount in amounts.items() if name != "ann"})
        return {name: "no such user" for name in amounts if name == "ann"}

    def run() -> CycleReport:
        cycle = today.cycle()
        cycle.marketplace = Altered(today.waldur, tell_user_usages=refuse_ann)
        return cycle.run()

    run()
    second = run()

    assert asked == [{"ann", "bob"}]
    assert second.is_idle
    assert [(each.account, each.user) for each in second.unlisted] == [("alpha", "ann")]
    assert (today.held_by(alpha, "ann"), today.held_by(alpha, "bob")) == (None, Decimal("2.00"))
    today.job("alpha", "ann", NOON - HOUR, NOON)
    run()
    assert asked == [{"ann", "bob"}]
