"""Members of a fresh allocation can run jobs; and where they cannot, it is said who and why."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.waldur import DialectName
from tests.e2e.pull_program import IDLE, POLICY, Effects
from tests.e2e.pull_site import LiveSite
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur, start_waldur
from waldur_slurm.agent.check.access import judge_members
from waldur_slurm.agent.check.facts import read_waldur
from waldur_slurm.agent.composition import now
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.errors import ExpectedError
from waldur_slurm.service.check.findings import Verdict

__all__ = ["start_waldur"]

ANN, BOB = "wsat-ann", "wsat-bob"

any_dialect = pytest.mark.parametrize("dialect", DIALECT_NAMES)
shared_or_private = pytest.mark.parametrize("shared", [True, False], ids=["shared", "private"])


@pytest.fixture
def new_site(
    slurm_cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> Iterator["NewSite"]:
    made = NewSite(slurm_cluster, start_waldur, tmp_path)
    yield made
    made.clear_away()


class NewSite:
    def __init__(self, cluster: Cluster, start: StartWaldur, directory: Path) -> None:
        self._cluster, self._start, self._directory = cluster, start, directory
        self._sites: list[LiveSite] = []

    def __call__(self, dialect: DialectName, *, shared: bool, makes_users: bool = True) -> LiveSite:
        waldur = self._start(dialect, shared=shared, makes_users=makes_users)
        self._sites.append(LiveSite(self._cluster, waldur, self._directory))
        return self._sites[-1]

    def clear_away(self) -> None:
        for site in self._sites:
            for resource in site.waldur.resources():
                site.waldur.order_terminate(resource["uuid"])
            site.settle()


def may_run(site: LiveSite, resource: str, user: str) -> bool:
    """Let the job come to its end, so that the allocation may."""
    account = site.account(resource).name
    asked = ("sbatch", "--wait", f"--account={account}", "--mem=100", "--time=1", "--wrap=true")
    return site.cluster.run(*asked, user=user).code == 0


def checked(site: LiveSite) -> list[tuple[Verdict, str]]:
    cycle = site.program.cycle(lambda _event: None, Effects(None, is_after=False))
    waldur = read_waldur(lambda: cycle.marketplace, now, lambda _text: None)
    assert not isinstance(waldur, ExpectedError)
    return [(finding.verdict, finding.found) for finding in judge_members(waldur)]


@any_dialect
@shared_or_private
def test_members_of_a_fresh_allocation_run_jobs_and_go_on_running_them(
    new_site: NewSite, dialect: DialectName, shared: bool
) -> None:
    site = new_site(dialect, shared=shared)
    project = site.make_project("Physics", ANN)
    resource = site.allocate(project, gpu=100)
    site.join(project, BOB)
    site.settle()

    assert may_run(site, resource, ANN)
    assert may_run(site, resource, BOB)
    assert [verdict for verdict, _ in checked(site)] == [Verdict.OK]
    assert site.plan().plan.refusals == ()

    site.leave(project, BOB)
    site.settle()
    assert site.account(resource).users == {ANN}


@any_dialect
@shared_or_private
def test_where_waldur_makes_no_offering_users_check_and_plan_say_who_and_why(
    new_site: NewSite, dialect: DialectName, shared: bool
) -> None:
    site = new_site(dialect, shared=shared, makes_users=False)
    project = site.waldur.make_project(site.customer, "Physics")
    ann = site.waldur.make_user("ann-at-home")
    site.waldur.add_member(project, ann)
    resource = site.allocate(project, gpu=100)

    assert not may_run(site, resource, ANN)
    [(verdict, found)] = checked(site)
    assert verdict is Verdict.FAILED
    assert found == "1 of 1 member has no offering user, and so no access: ann-at-home"
    [refusal] = site.plan().plan.refusals
    assert (refusal.kind, refusal.subject) == (RefusalKind.NO_ACCESS, ann)
    assert refusal.reason.startswith("ann-at-home: has no offering user: ")

    site.waldur.let_offering_make_users()
    makes_users = replace(POLICY, make_offering_users=True)
    assert site.run(cycles=8, policy=makes_users) == IDLE
    [refusal] = site.plan().plan.refusals
    assert "has no user name" in refusal.reason or "in state 'Requested'" in refusal.reason

    site.waldur.set_offering_username(ann, ANN)
    site.settle()
    assert may_run(site, resource, ANN)
    assert [verdict for verdict, _ in checked(site)] == [Verdict.OK]
