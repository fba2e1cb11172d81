"""What a push cycle leaves standing, in numbers that carry no names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.unit.agent.push.site import HOUR, NOON, Site
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.model.usage import Runaway
from waldur_slurm.agent.push.news import CycleReport
from waldur_slurm.agent.push.plan.findings import DriftKind, LimitDrift, Owed, RefusalKind, Unlisted
from waldur_slurm.agent.report.findings import Refusal
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month

REPORT = CycleReport(
    changes=0, failures=(), refusals=(), drifts=(), owed=(), unlisted=(), runaways=()
)
MONTH = Month(2026, 10)
ACCOUNT = AccountName("alpha")


def owed(component: str, measured: str, held: str) -> Owed:
    amounts = Decimal(measured), Decimal(held)
    return Owed(MONTH, ACCOUNT, ResourceUuid("r"), ComponentType(component), *amounts)


def test_what_is_owed_is_summed_by_component_and_never_makes_up_for_each_other() -> None:
    report = replace(
        REPORT,
        owed=(owed("cpu", "5.50", "1.00"), owed("cpu", "1.00", "3.00"), owed("gpu", "1", "0")),
    )

    assert report.standing.unreported == {"cpu": Decimal("6.50"), "gpu": Decimal(1)}


def test_people_and_jobs_that_need_a_look_are_counted() -> None:
    ann, bob = UserName("ann"), UserName("bob")
    report = replace(
        REPORT,
        unlisted=(
            Unlisted(MONTH, ACCOUNT, ann),
            Unlisted(MONTH, AccountName("beta"), ann),
            Unlisted(MONTH, ACCOUNT, bob),
        ),
        runaways=(Runaway(Run("7", NOON), ACCOUNT, ann, None),),
        drifts=(LimitDrift(DriftKind.LIMITS, "alpha", "1", "2", ComponentType("gpu")),),
    )

    assert report.standing.usage_of_unknown_users == 2
    assert report.standing.runaway_jobs == 1
    assert report.standing.drift == {"limits": 1}


@pytest.mark.parametrize("kind", list(RefusalKind))
def test_the_brake_is_active_only_where_the_brake_refused(kind: RefusalKind) -> None:
    report = replace(REPORT, refusals=(Refusal(kind, "alpha", "why"),))

    assert report.standing.is_brake_active is (kind is RefusalKind.BRAKE)
    assert report.standing.refused == {kind.value: 1}


def test_a_cycle_of_a_site_counts_its_strangers_and_times_its_phases(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.job("alpha", "stranger", NOON - 3 * HOUR, NOON - HOUR)
    entered: list[str] = []

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        entered.append(name)
        yield

    cycle = site.cycle()
    cycle.phase = phase
    standing = cycle.run().standing

    assert standing.usage_of_unknown_users == 1
    assert standing.unreported == {}
    assert standing.quarantined is None
    assert entered == ["read", "tell"]


def test_a_runaway_job_is_told_to_people_once(site: Site) -> None:
    site.allocation("alpha", "ann")
    site.slurm.runaway = [site.job("alpha", "ann", NOON - 30 * HOUR)]
    cycle = site.cycle()

    reports = [cycle.run() for _ in range(3)]

    assert [len(report.runaways) for report in reports] == [1, 1, 1]
    (event,) = site.heard("job.runaway")
    assert (event.fields["account"], event.fields["counted_until"]) == ("alpha", "never")
