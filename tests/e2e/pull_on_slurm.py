"""A real cluster in the place of the one in memory, for worlds whose Waldur is still a fake."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

from sandbox.slurm import Cluster
from tests.fakes.pull import Site
from tests.fakes.pull_worlds import scattered
from tests.fakes.slurm import FakeSlurm
from tests.fakes.waldur import fake_marketplace
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUuid
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import ROOT, ClusterName
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.client import SlurmClient

_worlds = count(1)


class CountingTransport(NativeTransport):
    """Counts Slurm's commands by their program and verb."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.commands: list[tuple[str, ...]] = []

    def run(self, argv: tuple[str, ...], **more: Any) -> Completed:
        self.commands.append(argv)
        return super().run(argv, **more)


class RealSlurm(SlurmClient):
    """The product's own client, with what a test does to Slurm by other hands."""

    def __init__(self, cluster: Cluster) -> None:
        self.machine = cluster
        self.transport = CountingTransport({**cluster.environ, "PATH": "/usr/bin:/bin"})
        super().__init__(self.transport, cluster=ClusterName("lab"))
        self.calls: Counter[str] = Counter()
        self.jobs: list[object] = []

    @property
    def qos(self) -> set[str]:
        return set(self.machine.must("sacctmgr", "-nP", "list", "qos", "format=name").split())

    @qos.setter
    def qos(self, wanted: set[str]) -> None:
        for name in wanted - self.qos:
            self.machine.must("sacctmgr", "-i", "add", "qos", name)

    def put(self, account: Account) -> None:
        parent = account.parent or ROOT
        described = account.description, account.organization
        self.add_accounts([NewAccount(account.name, parent, *described)])
        if account.users:
            self.add_users({account.name: account.users})

    def submit(self, user: str, account: str, _tres: object = None) -> int:
        return self.machine.submit(user, account, "sleep 600")

    def tick(self, _passed: timedelta) -> None:
        """Its clock goes by itself."""

    def dump(self) -> str:
        """Return everything in the accounting of the cluster as `sacctmgr dump` writes it."""
        path = self.machine.directory / "dump.cfg"
        self.machine.must("sacctmgr", "dump", "lab", f"file={path}")
        return path.read_text()


def real_site(cluster: Cluster, dialect: Dialect = Dialect.TODAY) -> Site:
    """Its own offering, customers and projects in a cluster that others use as well."""
    number = next(_worlds)
    waldur = fake_marketplace(dialect)
    numbers: Any = map(scattered, count(number << 20))
    waldur._numbers = numbers  # names of one world must not meet another's
    waldur.offering = replace(waldur.offering, uuid=OfferingUuid(f"{number:032x}"))
    return Site(waldur, cast(FakeSlurm, RealSlurm(cluster)))


def real_slurm(site: Site) -> RealSlurm:
    return cast(RealSlurm, site.slurm)
