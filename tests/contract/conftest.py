"""The Slurms that the contract is held against, each started when the first test asks for it."""

import itertools
import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from sandbox.docker.cluster import ContainerCluster
from sandbox.slurm import ClusterOptions
from sandbox.slurm.users import ensure_users
from tests.contract.batch_site import BatchSite, FakeBatchSite, RealBatchSite
from tests.contract.inside import InsideTransport
from tests.contract.live_site import FakeLive, LiveSite, RealLive
from tests.contract.past_site import FakePastSite, PastSite, RealPastSite
from tests.contract.site import (
    AS_OPERATOR,
    AS_ROOT,
    ONE_OF_EACH,
    OPERATOR,
    PEOPLE,
    REAL,
    REAL_OPERATORS,
    FakeSite,
    RealSite,
    Site,
)
from tests.fakes.transport import LesserTransport
from tests.fixtures_slurm import NewCluster
from waldur_slurm.model.names import AccountName, account_name
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.transports.docker import DockerTransport

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def native_22_05(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> RealSite:
    cluster = new_slurm_cluster(ClusterOptions(other_clusters=("other",)))
    path = {"PATH": os.environ["PATH"]}  # noqa: TID251 - where Slurm's tools lie here
    return RealSite(cluster, NativeTransport(path, extra=cluster.environ))


@pytest.fixture(scope="session")
def operator_22_05(native_22_05: RealSite) -> RealSite:
    """The same cluster, asked as a plain user who is an Operator there."""
    ensure_users([OPERATOR])
    transport = LesserTransport(native_22_05.transport, OPERATOR)
    return _with_operator(RealSite(native_22_05.machine, transport))


@pytest.fixture(scope="session")
def operator_docker_22_05(
    docker_22_05: RealSite, container_cluster_22_05: ContainerCluster
) -> Iterator[RealSite]:
    container_cluster_22_05.ensure_users([OPERATOR])
    with closing(DockerTransport(container_cluster_22_05.container, user=OPERATOR)) as transport:
        yield _with_operator(RealSite(docker_22_05.machine, transport))


@pytest.fixture(scope="session")
def operator_docker_24_11(docker_24_11: RealSite) -> RealSite:
    return _inside_as_operator(docker_24_11)


@pytest.fixture(scope="session")
def operator_docker_26_05(docker_26_05: RealSite) -> RealSite:
    return _inside_as_operator(docker_26_05)


@pytest.fixture(scope="session")
def docker_22_05(container_cluster_22_05: ContainerCluster) -> Iterator[RealSite]:
    """The one that is asked through the engine, as a site with Slurm in a container is."""
    with closing(DockerTransport(container_cluster_22_05.container)) as transport:
        yield _prepared(container_cluster_22_05, transport)


@pytest.fixture(scope="session")
def docker_24_11(container_cluster_24_11: ContainerCluster) -> RealSite:
    return _prepared(container_cluster_24_11, InsideTransport(container_cluster_24_11))


@pytest.fixture(scope="session")
def docker_26_05(container_cluster_26_05: ContainerCluster) -> RealSite:
    return _prepared(container_cluster_26_05, InsideTransport(container_cluster_26_05))


def _prepared(cluster: ContainerCluster, transport: Transport) -> RealSite:
    cluster.ensure_users(PEOPLE)
    cluster.run("sacctmgr", "--immediate", "add", "cluster", "other")
    return RealSite(cluster, transport)


def _inside_as_operator(site: RealSite) -> RealSite:
    assert isinstance(site.machine, ContainerCluster)
    site.machine.ensure_users([OPERATOR])
    return _with_operator(RealSite(site.machine, LesserTransport(site.transport, OPERATOR)))


def _with_operator(site: RealSite) -> RealSite:
    site.hand("add", "account", "wsat_service", "cluster=lab")
    site.hand(
        *("add", "user", OPERATOR, "account=wsat_service", "cluster=lab", "adminlevel=Operator")
    )
    return site


@pytest.fixture(params=REAL)
def real(request: pytest.FixtureRequest) -> Iterator[RealSite]:
    """Each real Slurm in turn, for what cannot be said of the fake."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, RealSite)
    yield found
    _end_jobs(found)


@pytest.fixture(params=REAL_OPERATORS)
def operator(request: pytest.FixtureRequest) -> Iterator[RealSite]:
    """Each real Slurm asked as an Operator, for what it does otherwise than asked as root."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, RealSite)
    yield found
    _end_jobs(found)


@pytest.fixture(params=(*AS_ROOT, *AS_OPERATOR))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if request.param.startswith("fake"):
        yield FakeSite(is_operator=request.param == "fake_operator")
        return
    found = request.getfixturevalue(request.param)
    assert isinstance(found, RealSite)
    yield found
    _end_jobs(found)


@pytest.fixture(params=("fake", *ONE_OF_EACH))
def live(request: pytest.FixtureRequest, name: AccountName) -> Iterator[LiveSite]:
    """Each cluster in turn, with an account of the test's own."""
    if request.param == "fake":
        yield FakeLive(name)
        return
    yield from _real_live(request, name)


@pytest.fixture(params=ONE_OF_EACH)
def real_live(request: pytest.FixtureRequest, name: AccountName) -> Iterator[RealLive]:
    """Each real cluster in turn, for what cannot be said of the fake."""
    yield from _real_live(request, name)


def _real_live(request: pytest.FixtureRequest, name: AccountName) -> Iterator[RealLive]:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, RealSite)
    yield RealLive(found, name)
    _end_jobs(found)


@pytest.fixture
def name() -> AccountName:
    """A name that no other test uses; names made of it with a suffix are this test's too."""
    return account_name(f"c{next(_numbers)}")


@pytest.fixture
def top(site: Site, name: AccountName) -> AccountName:
    """An account of this test's own, directly under root."""
    site.add_top(name)
    return name


def _end_jobs(site: RealSite) -> None:
    if site.machine.must("squeue", "--noheader"):
        site.machine.must("scancel", *(f"--user={user}" for user in PEOPLE[:1]))
        for user in PEOPLE[1:]:
            site.machine.must("scancel", f"--user={user}")


@pytest.fixture(params=("fake", *ONE_OF_EACH))
def batch_site(request: pytest.FixtureRequest) -> Iterator[BatchSite]:
    """Each queue in turn, with two users who may submit."""
    if request.param == "fake":
        yield FakeBatchSite()
        return
    yield from _batch_site(request)


@pytest.fixture(params=ONE_OF_EACH)
def real_batch_site(request: pytest.FixtureRequest) -> Iterator[RealBatchSite]:
    yield from _batch_site(request)


def _batch_site(request: pytest.FixtureRequest) -> Iterator[RealBatchSite]:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, RealSite)
    site = RealBatchSite(found)
    yield site
    site.clear()


@pytest.fixture
def past_site(batch_site: BatchSite) -> PastSite:
    """Each accounting in turn, of a queue whose jobs run to their ends."""
    return RealPastSite(batch_site) if isinstance(batch_site, RealBatchSite) else FakePastSite()


@pytest.fixture
def real_past_site(real_batch_site: RealBatchSite) -> RealPastSite:
    return RealPastSite(real_batch_site)
