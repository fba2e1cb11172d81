"""What a contract test needs of a cluster beside the port `Cluster`: hands that submit and drain.

Rule: a test speaks to `cluster` and checks with it; it never asks which Slurm it has before it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from tests.contract.site import IMPATIENCE, PEOPLE, RealSite
from tests.fakes.cluster import CPU, MEM, NODE, FakeCluster, live_job, qos
from waldur_slurm.errors import TransportError
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.cluster import License, NodeState, Why
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.slurm.live.client import ClusterClient
from waldur_slurm.slurm.live.port import Cluster


@dataclass(frozen=True)
class Wish:
    """What a job is submitted with; held, it stays pending."""

    held: bool = False
    name: str = "job"
    comment: str = ""
    work_dir: str = "/tmp"  # noqa: S108 - where everybody may write
    array: str = ""
    minutes: int | None = None
    nodes: int = 1
    command: str = "sleep 600"


class LiveSite(Protocol):
    """A cluster with an account of the test's own, and somebody at its keyboard."""

    @property
    def cluster(self) -> Cluster: ...

    def submit(self, user: UserName, wish: Wish) -> int:
        """Queue a job in the test's account; what is not held runs soon."""
        ...

    def cancel(self, number: int) -> None: ...

    def drain(self, node: str, reason: str) -> AbstractContextManager[None]: ...

    def add_qos(self, name: str) -> None:
        """Make a QoS that lets each user run three jobs at once, for a day."""
        ...

    def add_license(self, name: str) -> None:
        """Make ten licences that a server elsewhere has."""
        ...

    def down(self) -> AbstractContextManager[None]:
        """Stop slurmctld for a while."""
        ...

    def frozen(self) -> AbstractContextManager[None]:
        """Stop slurmctld's time for a while: it listens, and does not answer."""
        ...

    def without_accounting(self) -> AbstractContextManager[None]:
        """Stop slurmdbd for a while."""
        ...

    def jobs(self) -> dict[int, LiveJob]:
        """The test's own jobs by their number."""
        ...

    def wait_until(self, is_so: Callable[[], bool]) -> None: ...


class RealLive:
    """A real Slurm; `site` has its administrator."""

    def __init__(self, site: RealSite, account: AccountName) -> None:
        self.site = site
        self.machine = site.machine
        self.account = account
        self.client = ClusterClient(site.transport)
        self.cluster: Cluster = self.client
        site.client.add_accounts([NewAccount(account, ROOT, "d", "o")])
        site.client.add_users({account: PEOPLE[:2]})

    def submit(self, user: UserName, wish: Wish) -> int:
        options = [
            f"--job-name={wish.name}",
            f"--chdir={wish.work_dir}",
            f"--nodes={wish.nodes}",
            *([f"--comment={wish.comment}"] if wish.comment else ()),
            *([f"--array={wish.array}"] if wish.array else ()),
            *([f"--time={wish.minutes}"] if wish.minutes else ()),
            *(["--hold"] if wish.held else ()),
        ]
        batch = ("sbatch", "--parsable", f"--account={self.account}", "--mem=10")
        wrapped = f"--wrap={wish.command}"
        said = self.machine.must(*batch, "--output=/dev/null", *options, wrapped, user=user)
        return int(said.partition(";")[0])

    def cancel(self, number: int) -> None:
        self.machine.must("scancel", str(number))

    @contextmanager
    def drain(self, node: str, reason: str) -> Iterator[None]:
        change = ("scontrol", "update", f"nodename={node}")
        self.machine.must(*change, "state=drain", f"reason={reason}")
        try:
            yield
        finally:
            self.machine.must(*change, "state=resume")

    def add_qos(self, name: str) -> None:
        limits = ("maxjobsperuser=3", "maxwall=1-00:00:00", "description=fast | lane")
        self.site.hand("add", "qos", name, "set", *limits)

    def add_license(self, name: str) -> None:
        where = ("server=flex", "servertype=flexlm", "type=license", "cluster=lab")
        self.site.hand("add", "resource", f"name={name}", "count=10", *where, "percentallowed=100")

    def down(self) -> AbstractContextManager[None]:
        return self.site.without("slurmctld")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.machine.freeze("slurmctld")
        self.cluster = ClusterClient(self.site.transport, timeout=IMPATIENCE)
        try:
            yield
        finally:
            self.cluster = self.client
            self.machine.thaw("slurmctld")

    @contextmanager
    def without_accounting(self) -> Iterator[None]:
        with self.site.down():
            yield

    def jobs(self) -> dict[int, LiveJob]:
        listing = self.cluster.read_jobs()
        assert listing.unreadable == ()
        return {job.number: job for job in listing.jobs if job.account == self.account}

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        self.site.wait_until(is_so)


class FakeLive:
    """FakeCluster with its own administrator."""

    def __init__(self, account: AccountName) -> None:
        self.fake = FakeCluster()
        self.account = account

    @property
    def cluster(self) -> Cluster:
        return self.fake

    def submit(self, user: UserName, wish: Wish) -> int:
        number = len(self.fake.jobs) + 1
        waiting = job_id(f"{number}_[{wish.array}]") if wish.array else JobId(number)
        limit_s = None if wish.minutes is None else 60 * wish.minutes
        tres = {CPU: wish.nodes, MEM: 10 * wish.nodes, NODE: wish.nodes}
        job = live_job(number, id=waiting, user=user, account=self.account, limit_s=limit_s)
        job = job._replace(tres=tres, node_count=wish.nodes, cpus=wish.nodes)
        job = job._replace(name=wish.name, comment=wish.comment, work_dir=wish.work_dir)
        self.fake.put(job._replace(reason="JobHeldUser" if wish.held else "Priority"))
        if not wish.held:
            self.fake.begin(number, "n[1-2]" if wish.nodes == 2 else "n1")
            if wish.command.startswith("exit "):
                self.fake.finish(number, "FAILED", int(wish.command.split()[1]))
        return number

    def cancel(self, number: int) -> None:
        self.fake.finish(number, "CANCELLED")

    @contextmanager
    def drain(self, node: str, reason: str) -> Iterator[None]:
        before = self.fake.nodes[node]
        state = NodeState(before.state.base, ("DRAIN",))
        why = Why(reason, "root", self.fake.now)
        self.fake.nodes[node] = replace(before, state=state, why=why)
        yield
        self.fake.nodes[node] = before

    def add_qos(self, name: str) -> None:
        made = qos(name, jobs_per_user=3, max_wall_s=86_400, description="fast | lane")
        self.fake.qos.append(made)

    def add_license(self, name: str) -> None:
        self.fake.licenses.append(License(f"{name}@flex", 10, 0, 10, 0, is_remote=True))

    @contextmanager
    def down(self) -> Iterator[None]:
        self.fake.go_down()
        yield
        self.fake.come_back()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.fake.go_down(TransportError("squeue did not end within 1 s and was killed"))
        yield
        self.fake.come_back()

    @contextmanager
    def without_accounting(self) -> Iterator[None]:
        self.fake.lose_accounting()
        yield
        self.fake.come_back()

    def jobs(self) -> dict[int, LiveJob]:
        return {job.number: job for job in self.fake.read_jobs().jobs}

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        assert is_so()
