"""Whether Waldur lets the agent do its work, and what to do where it does not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.makers import component
from tests.fakes.waldur import FakeMarketplace
from tests.unit.agent.check.site import NOON, Site
from waldur_slurm.agent.check.waldur import RIGHTS
from waldur_slurm.agent.errors import (
    NoWaldurThere,
    UnexpectedPayload,
    WaldurRejected,
    WaldurUnreachable,
)
from waldur_slurm.agent.model.components import AccountingType, ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, OfferedPlan
from waldur_slurm.errors import ExpectedError, SettingsError, StateError
from waldur_slurm.service.check.findings import Finding, Verdict, is_fit
from waldur_slurm.service.check.known import Known

GPU_PRICED = frozenset({ComponentType("gres/gpu")})


def test_without_waldur_nothing_is_concluded_about_it() -> None:
    site = Site()
    site.waldur.go_down()
    troubles = site.troubles()

    assert troubles[0] == ("Waldur", Verdict.FAILED)
    assert {verdict for _, verdict in troubles[1:]} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("error", "subject"),
    [
        (WaldurRejected("GET users/me/", 401, "Invalid token."), "token"),
        (WaldurRejected("GET offering", 404, "No Offering matches."), "offering"),
        (WaldurUnreachable("refused"), "Waldur"),
    ],
)
def test_each_way_in_which_waldur_says_no_names_its_own_cause(
    error: ExpectedError, subject: str
) -> None:
    site = Site()
    site.waldur.fail_next("read_offering", error)

    assert site.troubles()[0] == (subject, Verdict.FAILED)


def first_line(site: Site, error: ExpectedError) -> Finding:
    site.waldur.fail_next("read_offering", error)
    return next(finding for finding in site.findings() if finding.verdict is Verdict.FAILED)


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("https://waldur.example.com/", NoWaldurThere("looking for it", 404, "nobody there")),
        ("https://waldur.example.com/", UnexpectedPayload("GET offering: expected JSON")),
        ("https://waldur.example.com/api/v1/", NoWaldurThere("looking for it", 404, "nobody")),
    ],
)
def test_an_address_where_no_waldur_is_is_mended_by_the_variable_of_the_address(
    address: str, error: ExpectedError
) -> None:
    found = first_line(Site(api_url=address), error)

    assert found.subject == "Waldur"
    assert "set WALDUR_API_URL to" in found.advice
    assert found.advice.endswith("such as https://waldur.example.com/api/")


def test_a_token_that_is_refused_is_mended_where_it_stands() -> None:
    refused = WaldurRejected("GET users/me/", 401, "Invalid token.")

    assert first_line(Site(), refused).advice.startswith("set WALDUR_API_TOKEN to the token that")
    kept_in = first_line(Site(token_file="/etc/waldur/token"), refused)
    assert kept_in.advice.startswith("put into /etc/waldur/token the token that")


def test_an_offering_that_is_for_no_agent_is_mended_by_the_variable_of_the_offering() -> None:
    found = first_line(Site(), SettingsError(["WALDUR_OFFERING_UUID: the offering is of type 'X'"]))

    assert found.subject == "offering"
    assert "set WALDUR_OFFERING_UUID" in found.advice


def test_an_offering_that_nobody_can_order_is_a_warning() -> None:
    site = Site()
    site.waldur.offering = replace(site.waldur.offering, state="Draft")

    assert site.troubles() == [("offering", Verdict.WARNING)]


@pytest.mark.parametrize(
    ("direction", "rights", "lacking"),
    [
        ("pull", (), ["right to approve and complete orders", "right to change resources"]),
        ("push", ("OFFERING.MANAGER of offering HPC",), ["right to read and correct usage"]),
        ("push", ("PROJECT.ADMIN of project X",), ["right to change resources", "right to report"]),
        ("pull", ("staff",), []),
    ],
)
def test_rights_are_named_one_by_one(
    direction: str, rights: tuple[str, ...], lacking: list[str]
) -> None:
    site = Site(direction=direction)
    site.waldur.rights = rights

    troubles = site.troubles()

    assert len(troubles) == len(lacking)
    for (subject, verdict), start in zip(troubles, lacking, strict=True):
        assert subject.startswith(start)
        assert verdict is Verdict.FAILED


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_the_owner_of_another_organization_has_no_right_to_this_offering(direction: str) -> None:
    site = Site(direction=direction)
    site.waldur.rights = ()
    site.waldur.rights_elsewhere = ("CUSTOMER.OWNER of customer Arts",)

    rights = {f"right to {right.work}" for right in RIGHTS if direction in right.directions}
    found = [f for f in site.findings() if f.subject in rights]

    assert len(found) == len(rights)
    assert {f.verdict for f in found} == {Verdict.FAILED}
    assert all("but is CUSTOMER.OWNER of customer Arts" in f.found for f in found)


@pytest.mark.parametrize("dialect", [Dialect.TRANSITION, Dialect.CLASSIC])
def test_older_waldurs_let_a_manager_report_and_read_all_usage(dialect: Dialect) -> None:
    site = Site(direction="push")
    site.waldur.rights = ("OFFERING.MANAGER of offering HPC",)
    site.waldur.dialect = dialect

    assert is_fit(site.findings())


def test_a_manager_of_the_provider_is_enough_for_newer_waldurs_only() -> None:
    site = Site(direction="pull")
    site.waldur.rights = ("CUSTOMER.MANAGER of customer Site",)

    assert {verdict for _, verdict in site.troubles()} == {Verdict.WARNING}


def test_a_manager_who_approves_orders_on_newer_waldurs_only_is_a_warning() -> None:
    site = Site(direction="pull")
    site.waldur.rights = ("OFFERING.MANAGER of offering HPC",)

    assert site.troubles() == [("right to approve and complete orders", Verdict.WARNING)]
    (found,) = [f for f in site.findings() if f.verdict is Verdict.WARNING]
    assert "newer Waldur only" in found.found


@pytest.mark.parametrize("dialect", [Dialect.TRANSITION, Dialect.CLASSIC])
def test_push_is_warned_where_a_closed_month_cannot_be_corrected(dialect: Dialect) -> None:
    push, pull = Site(direction="push"), Site(direction="pull")
    push.waldur.dialect = pull.waldur.dialect = dialect

    assert push.troubles() == [("closed months", Verdict.WARNING)]
    assert pull.troubles() == []


@pytest.mark.parametrize(
    ("rights", "words"), [(("staff",), "all usage"), (("CUSTOMER.OWNER of X",), "billed by limit")]
)
def test_push_learns_what_this_token_may_still_report_later(
    rights: tuple[str, ...], words: str
) -> None:
    site = Site(direction="push")
    site.waldur.rights = rights

    (found,) = [f for f in site.findings() if f.subject == "closed months"]

    assert found.verdict is Verdict.OK
    assert found.found.startswith(words) or words in found.found


def test_an_offering_that_is_unavailable_says_what_waits() -> None:
    site = Site()
    site.waldur.offering = replace(site.waldur.offering, state="Unavailable")

    (found,) = [f for f in site.findings() if f.subject == "offering"]

    assert found.verdict is Verdict.WARNING
    assert "the agent holds back" in found.found


def test_people_without_user_names_are_counted() -> None:
    site = Site()
    project = site.waldur.make_project()
    site.waldur.name_user(site.waldur.add_member(project), "")
    site.waldur.name_user(site.waldur.add_member(project), "ann")

    (people,) = [f for f in site.findings() if f.subject == "people"]

    assert people.verdict is Verdict.WARNING
    assert people.found.startswith("1 of 2 people")


def test_components_that_differ_from_the_tres_file_are_a_warning() -> None:
    site = Site()
    site.components = (component("cpu", AccountingType.USAGE, label="Processors"),)

    (found,) = [f for f in site.findings() if f.verdict is not Verdict.OK]

    assert (found.subject, found.verdict) == ("components", Verdict.WARNING)
    assert "--load-components" in found.advice


def test_a_plan_without_a_price_for_what_is_limited_fails_with_the_call_that_mends_it() -> None:
    site = Site(
        waldur=FakeMarketplace(dialect=Dialect.TRANSITION, now=NOON),
        components=(component("gres/gpu", AccountingType.LIMIT),),
    )
    plans = (OfferedPlan("0a", "Standard", frozenset()), OfferedPlan("0b", "Free", GPU_PRICED))
    site.waldur.offering = replace(site.waldur.offering, plans=plans)

    (found,) = [f for f in site.findings() if f.verdict is not Verdict.OK]

    assert (found.subject, found.verdict) == ("prices", Verdict.FAILED)
    assert found.found.startswith("the plan 'Standard' has no price for gres/gpu:")
    assert 'marketplace-plans/0a/update_prices/ with {"prices": {"gres/gpu": 0}}' in found.advice


def test_clocks_that_disagree_are_a_warning() -> None:
    site = Site()
    site.waldur.now = NOON - timedelta(hours=2)

    assert site.troubles() == [("clock", Verdict.WARNING)]


@pytest.mark.parametrize(
    ("hooks", "troubles"),
    [
        (("user.added",), []),
        ((), [("hooks", Verdict.WARNING)]),
        (StateError("others may write to it"), [("hooks", Verdict.FAILED)]),
    ],
)
def test_programs_of_the_site_have_a_line_where_there_is_a_place_for_them(
    hooks: Known[Sequence[str]], troubles: list[tuple[str, Verdict]]
) -> None:
    site = Site(hooks=hooks)

    assert site.troubles() == troubles
    assert "hooks" in {finding.subject for finding in site.findings()}
