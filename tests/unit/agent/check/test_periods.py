"""`check` says which allocations Waldur ends, and what a usage policy does and does not here."""

from dataclasses import replace
from datetime import date

import pytest

from tests.unit.agent.check.site import Site
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import UsagePolicy
from waldur_slurm.service.check.findings import Finding, Verdict

POLICY = UsagePolicy(
    limit_type="GrpTRESMins",
    carries_over=True,
    resets_usage=False,
    governs=(ComponentType("gpu"),),
)


def lines(site: Site, subject: str) -> list[Finding]:
    return [finding for finding in site.findings() if finding.subject == subject]


def ending(site: Site, name: str, day: date) -> None:
    resource = site.waldur.make_resource(site.waldur.make_project(), name, backend_id=name)
    site.waldur.resources[resource.uuid] = replace(resource, ends_on=day)


def test_the_days_of_the_next_month_are_shown_with_their_accounts() -> None:
    site = Site()
    today = site.waldur.now.date()
    ending(site, "hpc_soon", today.replace(day=min(today.day + 1, 28)))
    ending(site, "hpc_late", today.replace(year=today.year + 1))

    (line,) = lines(site, "end dates")

    assert line.verdict is Verdict.OK
    assert "2 allocations have one in Waldur" in line.found
    assert "hpc_soon" in line.found
    assert "hpc_late" not in line.found


def test_without_end_dates_and_policies_nothing_is_said_of_them() -> None:
    site = Site()
    site.waldur.make_resource(site.waldur.make_project(), "lasting")

    assert lines(site, "end dates") == lines(site, "usage policy") == []


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_a_usage_policy_is_named_with_what_the_agent_does_about_it(direction: str) -> None:
    site = Site(direction=direction)
    site.waldur.usage_policies = [POLICY]

    (line,) = lines(site, "usage policy")

    assert line.verdict is Verdict.WARNING
    assert "limits by GrpTRESMins, carries over what is left, governs gpu" in line.found
    assert "is obeyed" in line.found
    assert "are not" in line.found
    assert "SLURM_DOWNSCALED_QOS" in line.advice
