"""With each thing broken in turn, the right line says so, and says what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.makers import component
from tests.fakes.slurm import FakeSlurm, down
from tests.fakes.waldur import FakeMarketplace
from waldur_slurm.agent.check.facts import Facts, Known, Told, read_slurm, read_waldur
from waldur_slurm.agent.check.findings import Finding, Verdict
from waldur_slurm.agent.check.judgement import is_fit, judge
from waldur_slurm.agent.components_sync import apply_components, plan_components
from waldur_slurm.agent.errors import WaldurRejected, WaldurUnreachable
from waldur_slurm.agent.model.components import AccountingType, Component
from waldur_slurm.agent.model.marketplace import Dialect, RowKind, Unreadable
from waldur_slurm.errors import ExpectedError, SettingsError, StateError, TransportError
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import ROOT, account_name, user_name
from waldur_slurm.model.tres import TresName, tres_name

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WALDUR = account_name("waldur")
CPU = tres_name("cpu")


@dataclass
class Site:
    """A site in order, of which a test breaks one thing."""

    direction: str = "pull"
    api_url: str = "https://waldur.example.com/api/"
    verify_ssl: bool = True
    warnings: tuple[str, ...] = ()
    slurm: FakeSlurm = field(default_factory=FakeSlurm)
    waldur: FakeMarketplace = field(
        default_factory=lambda: FakeMarketplace(dialect=Dialect.TODAY, now=NOON)
    )
    components: tuple[Component, ...] | ExpectedError = (component("cpu", AccountingType.USAGE),)
    storage: Mapping[str, ExpectedError | None] = field(
        default_factory=lambda: {"state directory": None}
    )

    hooks: Known[Sequence[str]] | None = None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slurm.add_accounts([NewAccount(WALDUR, ROOT, "parent of all", "waldur")])
        if not isinstance(self.components, ExpectedError):
            offered = self.waldur.read_offering().components
            apply_components(plan_components(offered, self.components), self.waldur)
            self.waldur.writes.clear()

    def findings(self) -> tuple[Finding, ...]:
        waldur = read_waldur(lambda: self.waldur, lambda: NOON, self.asked.append)
        people = frozenset({user_name("ann")})
        return judge(
            Facts(
                told=Told(
                    direction=self.direction,
                    api_url=self.api_url,
                    verify_ssl=self.verify_ssl,
                    default_account=WALDUR,
                    require_unix_users=True,
                    warnings=self.warnings,
                ),
                components=self.components,
                storage=self.storage,
                waldur=waldur,
                slurm=read_slurm(lambda: self.slurm, people, self.asked.append),
                hooks=self.hooks,
            )
        )

    def troubles(self) -> list[tuple[str, Verdict]]:
        found = self.findings()
        for finding in found:
            assert bool(finding.advice) == (finding.verdict in (Verdict.WARNING, Verdict.FAILED))
        return [(f.subject, f.verdict) for f in found if f.verdict is not Verdict.OK]


def test_it_says_whom_it_asks() -> None:
    site = Site()
    site.findings()

    assert site.asked == ["Waldur", "Slurm's controller", "Slurm's accounting"]


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_a_site_in_order_is_fit_and_has_no_troubles(direction: str) -> None:
    site = Site(direction=direction)

    assert site.troubles() == []
    assert is_fit(site.findings())


def test_a_warning_does_not_stop_the_agent() -> None:
    site = Site(api_url="http://waldur.example.com/api/")

    assert site.troubles() == [("settings", Verdict.WARNING)]
    assert is_fit(site.findings())


@pytest.mark.parametrize(
    "site",
    [Site(verify_ssl=False), Site(warnings=("SLURM_DEFAULT_ACOUNT has no effect",))],
    ids=["certificate", "misspelt"],
)
def test_settings_that_work_but_are_unwise_are_a_warning(site: Site) -> None:
    assert site.troubles() == [("settings", Verdict.WARNING)]


def test_a_tres_file_with_mistakes_fails_and_the_rest_is_still_asked() -> None:
    site = Site(components=SettingsError(["tres.yaml:3: unknown key 'limt'"]))

    assert site.troubles() == [
        ("TRES file", Verdict.FAILED),
        ("components", Verdict.UNKNOWN),
        ("TRES in Slurm", Verdict.UNKNOWN),
    ]
    assert not is_fit(site.findings())


def test_a_unit_of_hours_that_is_a_minute_is_a_warning() -> None:
    site = Site(components=(component("cpu", AccountingType.USAGE, factor=1),))

    assert site.troubles() == [("TRES file", Verdict.WARNING)]


def test_what_cannot_be_written_fails() -> None:
    site = Site(storage={"audit log": StateError("cannot write /var/log/audit: No space left")})

    assert site.troubles() == [("audit log", Verdict.FAILED)]


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


def members_without(site: Site, users: int) -> Finding:
    project = site.waldur.make_project()
    people = [site.waldur.add_member(project, f"user{number}") for number in range(users)]
    site.waldur.make_resource(project)
    for person in people:
        del site.waldur.offering_users[person]
    (found,) = [f for f in site.findings() if f.subject == "members"]
    return found


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
