"""What a pull cycle leaves standing, in numbers that carry no names."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.agent.pull.news import CycleReport
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind

REPORT = CycleReport(
    changes=0,
    failures=(),
    refusals=(),
    drifts=(),
    brakes=(),
    doubts=(),
    quarantined=("order", "resource"),
    members_without_access={"no user name": 3},
)


def test_findings_are_counted_by_their_kind() -> None:
    report = replace(
        REPORT,
        drifts=(
            Drift(DriftKind.LIMITS, "a", "1", "2"),
            Drift(DriftKind.LIMITS, "b", "1", "2"),
            Drift(DriftKind.NOT_OURS, "c", "1", "2"),
        ),
        refusals=(Refusal(RefusalKind.INVALID_ORDER, "o", "why"),),
    )

    assert report.standing.drift == {"limits": 2, "not ours": 1}
    assert report.standing.refused == {"invalid order": 1}
    assert report.standing.quarantined == 2
    assert report.standing.members_without_access == {"no user name": 3}
    assert report.standing.unreported == {}
    owing = replace(report, unreported={"cpu": Decimal("2.50")})
    assert owing.standing.unreported == {"cpu": Decimal("2.50")}


@pytest.mark.parametrize("kind", list(RefusalKind))
def test_the_brake_is_active_only_where_the_brake_refused(kind: RefusalKind) -> None:
    report = replace(REPORT, refusals=(Refusal(kind, "a", "why"),))

    assert report.standing.is_brake_active is (kind is RefusalKind.BRAKE)


@pytest.fixture
def site() -> Site:
    return new_site(Dialect.TODAY)


def allocate(site: Site, *users: str) -> None:
    project = site.waldur.make_project()
    for user in users:
        site.waldur.add_member(project, user)
    site.waldur.place_create(project, "alloc", {"gpu": 100, "mem": 10})
    site.settle()


def test_members_are_counted_whose_name_is_missing_or_cannot_be_used(site: Site) -> None:
    allocate(site, "ann", "", "ro|ot")

    counts = {"no user name": 1, "unsafe name": 1}
    assert site.run().standing.members_without_access == counts


def test_a_quiet_site_leaves_nothing_standing(site: Site) -> None:
    allocate(site, "ann")
    standing = site.run().standing

    assert not standing.is_brake_active
    assert (standing.drift, standing.refused) == ({}, {})
    assert (standing.quarantined, standing.members_without_access) == (0, {})
