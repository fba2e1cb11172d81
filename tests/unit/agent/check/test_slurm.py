"""Whether Slurm is fit for the agent, and what to do where it is not."""

from dataclasses import replace

import pytest

from tests.fakes.makers import component
from tests.fakes.slurm import FakeSlurm, down
from tests.fakes.waldur import FakeMarketplace
from tests.unit.agent.check.site import NOON, WALDUR, Site, members_without
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.agent.model.marketplace import Dialect, RowKind, Unreadable
from waldur_slurm.errors import TransportError
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT
from waldur_slurm.model.tres import TresName
from waldur_slurm.service.check.findings import Verdict, is_fit


def test_without_slurm_nothing_is_concluded_about_it() -> None:
    site = Site()
    site.slurm.go_down(TransportError("no such container: slurmctld"))
    troubles = dict(site.troubles())

    assert troubles["Slurm"] is Verdict.FAILED
    assert troubles["accounting"] is Verdict.UNKNOWN
    assert troubles["default account"] is Verdict.UNKNOWN
    assert troubles["right to change accounts"] is Verdict.UNKNOWN
    assert not is_fit(site.findings())


def test_an_accounting_database_that_is_down_is_not_a_missing_account() -> None:
    site = Site()
    site.slurm.fail_next(down(), on="read_snapshot")

    troubles = site.troubles()

    assert troubles == [
        ("accounting", Verdict.FAILED),
        ("default account", Verdict.UNKNOWN),
        ("right to change accounts", Verdict.UNKNOWN),
        ("TRES in Slurm", Verdict.UNKNOWN),
    ]


def test_an_old_slurm_is_a_warning() -> None:
    assert Site(slurm=FakeSlurm(version="slurm 20.11.9")).troubles() == [("Slurm", Verdict.WARNING)]


def test_a_cluster_that_the_accounting_does_not_know_fails() -> None:
    site = Site()
    site.slurm.put(Account(ROOT))

    assert ("accounting", Verdict.FAILED) in site.troubles()


def test_a_default_account_that_is_missing_fails() -> None:
    site = Site()
    site.slurm.remove_accounts([WALDUR])

    assert site.troubles() == [("default account", Verdict.FAILED)]


@pytest.mark.parametrize(
    "burden",
    [
        {"limits": {TresName("cpu"): 100}},
        {"grp_jobs": 5},
        {"grp_submit_jobs": 5},
        {"qos": ("low",)},
    ],
)
def test_what_every_allocation_would_inherit_is_a_warning(burden: dict[str, object]) -> None:
    site = Site()
    burdened = replace(site.slurm.read_snapshot().accounts[WALDUR], **burden)  # type: ignore[arg-type]  # fields by name
    site.slurm.put(burdened)

    assert site.troubles() == [("default account", Verdict.WARNING)]


def test_a_user_who_may_not_change_accounts_fails() -> None:
    site = Site(slurm=FakeSlurm(is_privileged=False))

    assert site.troubles() == [("right to change accounts", Verdict.FAILED)]


def test_push_is_not_judged_by_what_only_pull_needs() -> None:
    site = Site(direction="push", slurm=FakeSlurm(unix_users=set()))
    site.slurm.remove_accounts([WALDUR])
    site.slurm.configuration["AccountingStorageEnforce"] = "none"

    assert site.troubles() == []


@pytest.mark.parametrize(
    ("private", "verdict"),
    [
        ("none", Verdict.WARNING),
        ("", Verdict.WARNING),
        ("jobs,usage", Verdict.FAILED),
    ],
)
def test_push_needs_to_see_the_jobs_of_others_and_need_change_nothing(
    private: str, verdict: Verdict
) -> None:
    site = Site(direction="push", slurm=FakeSlurm(is_privileged=False))
    site.slurm.configuration["PrivateData"] = private

    (found,) = [f for f in site.findings() if f.verdict is not Verdict.OK]

    assert (found.subject, found.verdict) == ("right to see everything", verdict)
    assert "adminlevel=Operator" in found.advice


def test_where_slurm_does_not_answer_each_direction_names_what_it_would_have_asked() -> None:
    subjects = {}
    for direction in ("pull", "push"):
        site = Site(direction=direction)
        in_order = {f.subject for f in site.findings()}
        site.slurm.go_down(TransportError("no such container: slurmctld"))
        subjects[direction] = {f.subject for f in site.findings()}
        assert subjects[direction] == in_order

    assert "default account" in subjects["pull"] - subjects["push"]
    assert "right to see everything" in subjects["push"] - subjects["pull"]


def test_asking_for_the_right_changes_nothing() -> None:
    site = Site()
    before = site.slurm.read_snapshot()

    site.findings()

    assert site.slurm.read_snapshot() == before
    assert site.waldur.writes == []


def test_a_tres_that_slurm_does_not_account_for_fails() -> None:
    site = Site(components=(component("cpu", AccountingType.USAGE, tres="gres/fpga"),))

    assert site.troubles() == [("TRES in Slurm", Verdict.FAILED)]


@pytest.mark.parametrize(
    ("line", "value", "period", "mended"),
    [
        ("AccountingStorageEnforce", "none", None, "associations,limits,qos,safe"),
        ("AccountingStorageEnforce", "associations,limits", None, "associations,limits,qos,safe"),
        ("PriorityType", "priority/basic", None, "priority/multifactor"),
        ("PriorityDecayHalfLife", "7-00:00:00", None, "0"),
        ("PriorityUsageResetPeriod", "NONE", "month", "MONTHLY"),
        ("PriorityUsageResetPeriod", "MONTHLY", "total", "NONE"),
    ],
)
def test_slurm_conf_must_mean_what_the_offering_says(
    line: str, value: str, period: str | None, mended: str
) -> None:
    site = Site(components=(component("cpu", AccountingType.USAGE, limit_period=period),))
    site.slurm.configuration[line] = value

    (found,) = [f for f in site.findings() if f.verdict is not Verdict.OK]

    assert (found.subject, found.verdict) == ("limits in force", Verdict.WARNING)
    assert found.advice == f"in slurm.conf: {line}={mended}"


def test_following_the_advice_on_slurm_conf_ends_the_warning() -> None:
    site = Site(components=(component("cpu", AccountingType.USAGE, limit_period="month"),))
    site.slurm.configuration |= {
        "AccountingStorageEnforce": "none",
        "PriorityType": "priority/basic",
        "PriorityDecayHalfLife": "7-00:00:00",
        "PriorityUsageResetPeriod": "NONE",
    }

    warned = [f for f in site.findings() if f.verdict is Verdict.WARNING]
    for finding in warned:
        key, _, value = finding.advice.removeprefix("in slurm.conf: ").partition("=")
        site.slurm.configuration[key] = value

    assert len(warned) == 4
    assert site.troubles() == []


def test_people_who_do_not_resolve_where_slurm_runs_are_named() -> None:
    site = Site(slurm=FakeSlurm(unix_users=set()))

    (found,) = [f for f in site.findings() if f.verdict is not Verdict.OK]

    assert found.subject == "Unix users"
    assert "ann" in found.found


@pytest.mark.parametrize("dialect", list(Dialect))
def test_members_without_offering_users_make_it_fail_with_the_option_of_the_dialect(
    dialect: Dialect,
) -> None:
    found = members_without(Site(waldur=FakeMarketplace(dialect=dialect, now=NOON)), 7)

    assert found.verdict is Verdict.FAILED
    assert found.found.startswith("7 of 7 members have no offering user, and so no access: ")
    assert found.found.endswith("and 2 more")
    place = "plugin_options" if dialect is Dialect.TODAY else "secret_options"
    assert place in found.advice


def test_members_whose_offering_users_cannot_be_used_are_named_with_the_reason() -> None:
    site = Site()
    project = site.waldur.make_project()
    site.waldur.make_resource(project)
    user = site.waldur.add_member(project, "")
    known = site.waldur.offering_users[user]
    site.waldur.offering_users[user] = replace(known, why_not="no user name")

    (found,) = [f for f in site.findings() if f.subject == "members"]

    assert found.verdict is Verdict.WARNING
    assert "-at-home (no user name)" in found.found


def test_a_team_that_may_not_be_read_is_named() -> None:
    site = Site()
    resource = site.waldur.make_resource(site.waldur.make_project())
    site.waldur.unreadable_teams.add(resource.uuid)

    found = [f for f in site.findings() if f.subject == "members"]

    assert [f.verdict for f in found] == [Verdict.FAILED, Verdict.OK]
    assert resource.uuid in found[0].found


def test_push_asks_for_no_members() -> None:
    site = Site(direction="push")

    assert [f for f in site.findings() if f.subject == "members"] == []


def test_each_row_that_cannot_be_read_has_a_line_and_stops_nothing() -> None:
    site = Site()
    rows = [Unreadable(kind=kind, uuid=f"{n:032x}", error="no") for n, kind in enumerate(RowKind)]
    site.waldur.unreadable = tuple(rows)

    lines = [f"{row.kind.value} {row.uuid}" for row in rows]
    assert site.troubles() == [(line, Verdict.WARNING) for line in lines]
    assert is_fit(site.findings())
