"""One Slurm, one gateway and one sshd for all that is asked through the port `Jobs`."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.ssh import SshServer
from tests.contract.jobs_port.sites import FakeJobsSite, JobsSite, RealJobsSite
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.fixtures_slurm import NewCluster
from tests.fixtures_ssh import NewSshd
from waldur_slurm.operator.jobs.port import Jobs
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.ways.accounts import Account, transport_to
from waldur_slurm.operator.ways.direct_jobs import DirectJobs
from waldur_slurm.operator.ways.gateway_jobs import GatewayJobs, gateway_at
from waldur_slurm.slurm.transports.ssh_master import KeyFile

FORGETFUL = {"MinJobAge": "2"}
"""Then slurmctld lets go of what has ended within a minute, as a test can wait for."""

SCOPES = "cluster:read,jobs:read:all,jobs:submit,jobs:cancel,jobs:control,files:read,output:read"


@pytest.fixture(scope="package")
def lab(new_slurm_cluster: NewCluster, installed_hand: HandSite) -> Cluster:
    """Its users are the hand's."""
    cluster = new_slurm_cluster(ClusterOptions(slurm_conf=FORGETFUL))
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in (ANN, BOB):
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    return cluster


@pytest.fixture(scope="package")
def acting_site(lab: Cluster, installed_hand: HandSite) -> Iterator[ActingSite]:
    with ActingSite.lasting(lab, installed_hand) as site:
        yield site


@pytest.fixture(scope="package")
def acting(acting_site: ActingSite) -> Iterator[ActingGateway]:
    with acting_site.running() as started:
        yield started


@pytest.fixture(scope="package")
def login_host(acting_site: ActingSite, new_sshd: NewSshd) -> Iterator[SshServer]:
    """One whose users begin in Ann's home of the tests': there the journal lies."""
    with new_sshd(f"SetEnv HOME={acting_site.hand.home(ANN)}") as server:
        yield server


@pytest.fixture(scope="package")
def by_gateway(acting: ActingGateway, acting_site: ActingSite) -> RealJobsSite:
    token = acting_site.place / "operators-token"
    token.write_text(acting_site.token(ANN, BOB, name="operator", scopes=SCOPES))

    def make() -> Jobs:
        return GatewayJobs(gateway_at(f"http://127.0.0.1:{acting.port}"), token)

    home = str(acting_site.hand.home(ANN))
    return RealJobsSite(acting_site.lab, make(), make, acting_site.sbatch, home)


@pytest.fixture(scope="package")
def by_ssh(acting_site: ActingSite, login_host: SshServer) -> Iterator[RealJobsSite]:
    host = BySsh("127.0.0.1", login_host.port, str(login_host.known_hosts))
    account = Account(ANN, KeyFile(login_host.user_key))
    with ExitStack() as stack:

        def make() -> DirectJobs:
            transport = stack.enter_context(closing(transport_to(host, account)))
            return DirectJobs(transport, ANN, bin_path=str(acting_site.tools))

        home = str(acting_site.hand.home(ANN))
        yield RealJobsSite(acting_site.lab, make(), make, acting_site.sbatch, home)


@pytest.fixture(params=["fake", "gateway", "ssh"])
def site(request: pytest.FixtureRequest) -> Iterator[JobsSite]:
    if request.param == "fake":
        yield FakeJobsSite()
        return
    real: RealJobsSite = request.getfixturevalue(f"by_{request.param}")
    yield real
    real.clear()
