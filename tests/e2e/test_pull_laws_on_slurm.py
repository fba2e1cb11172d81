"""The first three laws of pull's plans once more, where Slurm is the real one."""

from contextlib import suppress
from fractions import Fraction

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.slurm import Cluster, Completed
from tests.e2e.pull_on_slurm import real_site, real_slurm
from tests.fakes.pull import Site
from tests.fakes.pull_crash import Crash, Fuse, whole
from tests.fakes.pull_worlds import (
    A_PERSON_SAID_YES,
    GPU,
    UNREADABLE,
    Deed,
    assert_open_only_with_limits,
    assert_reached,
    built,
    deeds,
    settle,
)
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.taken import BrakeKind
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import ROOT, AccountName, UserName

DIALECTS = st.sampled_from(list(Dialect))
FEW = settings(
    max_examples=2,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LIVED_IN = [
    *(Deed("join", which, name=name) for which in (0, 1) for name in ("ann", "bob")),
    *(Deed("create", which, 2) for which in (0, 0, 1)),
    Deed("settle"),
    *(Deed("pause", 0), Deed("downscale", 1), Deed("admin", 1), Deed("rename", 2, 1)),
    *(Deed("leave", 0), Deed("join", 0, name="eve"), Deed("terminate", 0), Deed("update", 1, 3)),
    *(Deed("create", 2, 1), Deed("restrict", 1), Deed("inherit", 0, 1), Deed("inherit", 1, 3)),
]


def world(cluster: Cluster, dialect: Dialect, done: list[Deed]) -> Site:
    site = real_site(cluster, dialect)
    return built(dialect, [deed for deed in done if deed.what != "submit"], site)


@FEW
@given(dialect=DIALECTS, done=deeds())
def test_cycles_reach_what_is_wanted_and_then_nothing_is_to_do(
    slurm_cluster: Cluster, dialect: Dialect, done: list[Deed]
) -> None:
    site = world(slurm_cluster, dialect, [*done, *LIVED_IN])

    settle(site)

    assert_reached(site)
    assert site.plan().plan.steps == ()


@FEW
@given(dialect=DIALECTS, left=st.integers(0, 25), is_after=st.booleans())
def test_a_crash_after_any_effect_only_costs_a_cycle(
    slurm_cluster: Cluster, dialect: Dialect, left: int, is_after: bool
) -> None:
    site = world(slurm_cluster, dialect, LIVED_IN)
    fuse = Fuse(left, is_after=is_after)
    site.wrap_slurm = site.wrap_waldur = fuse.around

    with suppress(Crash):
        site.run(A_PERSON_SAID_YES)
    assert_open_only_with_limits(site)
    site.wrap_slurm = site.wrap_waldur = whole
    settle(site)

    assert_reached(site)


def test_create_and_terminate_leave_the_accounting_as_it_was(slurm_cluster: Cluster) -> None:
    site = real_site(slurm_cluster)
    before = real_slurm(site).dump()
    built(Dialect.TODAY, [], site)
    world_before = real_slurm(site).dump()
    for which in range(2):
        project = site.waldur.make_project(f"P{which}", "one customer")
        site.waldur.add_member(project, "ann")
        site.waldur.place_create(project, "alloc", {"gpu": 5})
    site.change_policy(require_unix_users=False)
    settle(site)
    assert real_slurm(site).dump() != world_before

    for resource in list(site.waldur.resources):
        site.waldur.place_terminate(resource)
    settle(site)

    assert real_slurm(site).dump() == world_before, before


def test_what_the_brake_cuts_of_an_adoption_leaves_the_account_closed(
    slurm_cluster: Cluster, slurm_users: tuple[str, ...]
) -> None:
    user, name = UserName(slurm_users[0]), AccountName("hpc_inherited")
    site = built(Dialect.TODAY, [], real_site(slurm_cluster))
    project = site.waldur.make_project()
    site.waldur.add_member(project, user)
    limits = {"gpu": UNREADABLE}
    resource = site.waldur.make_resource(project, "old", limits, backend_id=name)
    there = (Association(user),)
    site.slurm.put(Account(name, "old", f"hpc_{project.uuid}", ROOT, associations=there))
    assert submitted(slurm_cluster, user, name).code == 0

    site.change_policy(max_removals=Allowance(0, Fraction(0)))
    before = real_slurm(site).dump()
    assert [brake.kind for brake in site.run().brakes] == [BrakeKind.HOLDS]
    assert real_slurm(site).dump() == before
    site.run(A_PERSON_SAID_YES)
    assert submitted(slurm_cluster, user, name).code != 0

    site.waldur._change(resource, limits={"gpu": 1})
    assert [brake.kind for brake in site.run().brakes] == [BrakeKind.LIMITS]
    assert GPU not in site.accounts()[name].limits
    assert submitted(slurm_cluster, user, name).code != 0

    site.run(A_PERSON_SAID_YES)
    assert site.accounts()[name].limits[GPU] == 60
    assert submitted(slurm_cluster, user, name).code == 0
    site.waldur.place_terminate(resource.uuid)
    settle(site)


def submitted(cluster: Cluster, user: str, account: str) -> Completed:
    return cluster.run("sbatch", f"--account={account}", "--hold", "--wrap=true", user=user)
