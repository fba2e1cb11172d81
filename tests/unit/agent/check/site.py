"""A site in memory for the tests of `check`, in order unless a test spoils it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tests.fakes.makers import component
from tests.fakes.slurm import FakeSlurm
from tests.fakes.waldur import FakeMarketplace
from waldur_slurm.agent.check.facts import Facts, SettingsFacts, read_slurm, read_waldur
from waldur_slurm.agent.check.judgement import judge
from waldur_slurm.agent.components_sync import apply_components, plan_components
from waldur_slurm.agent.model.components import AccountingType, Component
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import ROOT, account_name, user_name
from waldur_slurm.model.tres import tres_name
from waldur_slurm.service.check.findings import Finding, Obstacle, Verdict
from waldur_slurm.service.check.known import Known

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
    env_file: str = ""
    token_file: str = ""
    slurm: FakeSlurm = field(default_factory=FakeSlurm)
    waldur: FakeMarketplace = field(
        default_factory=lambda: FakeMarketplace(dialect=Dialect.TODAY, now=NOON)
    )
    components: tuple[Component, ...] | ExpectedError = (component("cpu", AccountingType.USAGE),)
    storage: Mapping[str, str | Obstacle] = field(
        default_factory=lambda: {"state directory": "can be written"}
    )

    hooks: Known[Sequence[str]] | None = None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slurm.add_accounts([NewAccount(WALDUR, ROOT, "parent of all", "waldur")])
        if not isinstance(self.components, ExpectedError):
            sold = {component.type for component in self.components}
            held = self.waldur.offering
            offered = tuple(each for each in held.components if each.type in sold)
            self.waldur.offering = replace(held, components=offered)
            apply_components(plan_components(offered, self.components), self.waldur)
            self.waldur.writes.clear()

    def findings(self) -> tuple[Finding, ...]:
        waldur = read_waldur(lambda: self.waldur, lambda: NOON, self.asked.append)
        people = frozenset({user_name("ann")})
        return judge(
            Facts(
                settings=SettingsFacts(
                    direction=self.direction,
                    api_url=self.api_url,
                    verify_ssl=self.verify_ssl,
                    default_account=WALDUR,
                    require_unix_users=True,
                    warnings=self.warnings,
                    env_file=self.env_file,
                    token_file=self.token_file,
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


def members_without(site: Site, users: int) -> Finding:
    project = site.waldur.make_project()
    people = [site.waldur.add_member(project, f"user{number}") for number in range(users)]
    site.waldur.make_resource(project)
    for person in people:
        del site.waldur.offering_users[person]
    (found,) = [f for f in site.findings() if f.subject == "members"]
    return found
