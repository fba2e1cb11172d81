"""Jobs that have outlived their account, on a real Slurm: an order ends them, or says who must."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.waldur import Fault
from tests.e2e.program import eventually
from tests.e2e.pull_program import FAILED, IDLE
from tests.e2e.pull_site import LiveSite
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.agent.pull.world.policy import Consent

ANN = "wsat-ann"
SMALL = ("--mem=100", "--time=10")
GONE_FOR_CERTAIN = Consent(allow_removals=True)


@pytest.fixture
def site(
    new_slurm_cluster: NewCluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> Iterator[LiveSite]:
    """A cluster of its own, since slurmctld's memory is put back."""
    with new_slurm_cluster(ClusterOptions(nodes=1)) as cluster:
        yield LiveSite(cluster, start_waldur("today"), tmp_path)


def queued(cluster: Cluster) -> dict[int, str]:
    lines = cluster.must("squeue", "-h", "--format=%i %T").splitlines()
    return {int(number): state for number, state in (line.split() for line in lines)}


def state_of(site: LiveSite, resource: str) -> str:
    return str(site.waldur.resource(resource)["state"])


def test_jobs_that_came_back_with_slurmctlds_memory_are_cancelled_before_the_order_is_done(
    site: LiveSite,
) -> None:
    cluster = site.cluster
    resource = site.allocate(site.make_project("Physics", ANN))
    account = site.account(resource).name
    running = cluster.submit(ANN, account, "sleep 600", *SMALL)
    pending = cluster.submit(ANN, account, "sleep 600", "--begin=now+3600", *SMALL)
    eventually(lambda: queued(cluster) == {running: "RUNNING", pending: "PENDING"}, "they run")
    cluster.stop_daemon("slurmctld")
    memory, kept = cluster.directory / "state", cluster.directory / "state-kept"
    shutil.copytree(memory, kept)
    cluster.start_daemon("slurmctld")
    site.waldur.order_terminate(resource)
    site.waldur.fault(Fault("POST marketplace-orders/*/set_state_done/", "status", value=503))
    eventually(lambda: site.run() == FAILED, "all is done but the last word to Waldur", 60)
    assert site.is_absent(resource)
    cluster.stop_daemon("slurmctld")
    shutil.rmtree(memory)
    shutil.copytree(kept, memory)
    cluster.start_daemon("slurmctld")
    eventually(lambda: queued(cluster).keys() == {running, pending}, "they are back")

    site.waldur.clear_faults()
    site.run()

    eventually(lambda: queued(cluster) == {}, "they are cancelled")
    assert site.run(cycles=8) == IDLE
    assert state_of(site, resource) == "Terminated"


def test_without_a_journal_a_person_ends_the_jobs_of_an_account_that_somebody_removed(
    site: LiveSite,
) -> None:
    """Slurm removes an account without a word about jobs that may not start yet."""
    cluster = site.cluster
    resource = site.allocate(site.make_project("Physics", ANN))
    account = site.account(resource).name
    pending = cluster.submit(ANN, account, "sleep 600", "--begin=now+3600", *SMALL)
    cluster.must("sacctmgr", "-i", "delete", "user", ANN, f"account={account}")
    cluster.must("sacctmgr", "-i", "delete", "account", account)
    eventually(lambda: queued(cluster) == {pending: "PENDING"}, "it has outlived its account")
    shutil.rmtree(site.program.state)
    site.program.state.mkdir()
    site.waldur.order_terminate(resource)

    site.run(consent=GONE_FOR_CERTAIN)

    assert queued(cluster) == {pending: "PENDING"}
    (refusal,) = [r for r in site.plan(GONE_FOR_CERTAIN).plan.refusals if r.subject != "all"]
    assert refusal.kind is RefusalKind.SITE
    remedy = refusal.reason.rpartition("`scancel ")[2].rstrip("`")
    cluster.must("scancel", *remedy.split())
    eventually(lambda: queued(cluster) == {}, "the person has ended it")
    site.run(consent=GONE_FOR_CERTAIN)
    assert state_of(site, resource) == "Terminated"
