"""What a contract test needs of a Slurm beside the port: an administrator's hands.

Rule: a test speaks to `accounting` and checks with it or with `inventory`; it never asks which
Slurm it has before it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from sandbox.slurm import Completed
from tests.fakes.slurm import FakeSlurm
from waldur_slurm.errors import TransportError
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import ROOT, AccountName, ClusterName, UserName
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.port import Accounting

REAL = ("native_22_05", "docker_22_05", "docker_24_11", "docker_26_05")
ONE_OF_EACH = ("native_22_05", "docker_24_11", "docker_26_05")
"""For queues and their jobs, which nobody asks through a container's engine."""

AS_ROOT = ("fake", *REAL)
AS_OPERATOR = ("fake_operator", "operator_22_05")
"""The sites by name, each a fixture; asked as root, or as a plain user who is an Operator there."""

REAL_OPERATORS = (
    "operator_22_05",
    "operator_docker_22_05",
    "operator_docker_24_11",
    "operator_docker_26_05",
)

OPERATOR = "wsat-operator"
PEOPLE = tuple(map(UserName, ("wsat-ann", "wsat-bob", "wsat-eve")))
PARTITION = "main"
IMPATIENCE = timedelta(seconds=1)

Inventory = frozenset[tuple[str, ...]]

INVENTORY = (
    "place=$(mktemp -d) && trap 'rm -r $place' EXIT"
    " && sacctmgr dump lab file=$place/dump >/dev/null 2>&1 && cat $place/dump"
    " && echo \"Parent - 'no more'\" && sacctmgr -nP show account"
)


class Site(Protocol):
    """A Slurm with accounting, and an administrator who works on it by hand."""

    @property
    def accounting(self) -> Accounting: ...

    def inventory(self) -> Inventory:
        """Everything that the accounting database holds about accounts and people."""
        ...

    def add_top(self, name: AccountName) -> None:
        """Make an account directly under root."""
        ...

    def submit(self, user: str, account: str, *, held: bool = False) -> None:
        """Queue a job that outlasts the test; a held one stays pending."""
        ...

    def release(self, user: str) -> None:
        """Let the held jobs of `user` start, and return when they run."""
        ...

    def add_to_partition(self, user: str, account: str) -> None: ...

    def add_qos(self, *names: str) -> None: ...

    def homeless(self, user: UserName) -> AbstractContextManager[None]:
        """Make sure that `user` has no home, neither at first nor afterwards."""
        ...

    def down(self) -> AbstractContextManager[None]:
        """Stop slurmdbd for a while."""
        ...

    def frozen(self) -> AbstractContextManager[None]:
        """Stop slurmdbd's time for a while: it listens, and does not answer."""
        ...


class Machine(Protocol):
    """The part that the sandbox's two kinds of cluster share."""

    def run(self, *argv: str, user: str | None = None, timeout: float = 30.0) -> Completed: ...

    def must(self, *argv: str, user: str | None = None, timeout: float = 30.0) -> str: ...

    def sql(self, statement: str) -> str: ...

    def start_daemon(self, name: str) -> None: ...

    def stop_daemon(self, name: str) -> None: ...

    def kill_daemon(self, name: str) -> None: ...

    def freeze(self, name: str) -> None: ...

    def thaw(self, name: str) -> None: ...


class RealSite:
    """A sandbox cluster, asked through `client`; `impatient` is the same with a short time-out."""

    def __init__(self, machine: Machine, transport: Transport) -> None:
        self.machine = machine
        self.transport = transport
        # Here even little is loaded by whom Slurm lets; whom it does not says everything in lines.
        self.client = SlurmClient(transport, few_lines=0)
        self.impatient = SlurmClient(transport, cluster=ClusterName("lab"), timeout=IMPATIENCE)
        self.accounting: Accounting = self.client

    def inventory(self) -> Inventory:
        """Return `sacctmgr dump`, each line with the parent that it stands under."""
        parent, found = "", set()
        for line in self.machine.must("sh", "-c", INVENTORY).splitlines():
            if line.startswith("Parent - "):
                parent = line
            elif not line.startswith("#"):
                found.add((parent, line))
        return frozenset(found)

    def add_top(self, name: AccountName) -> None:
        self.hand("add", "account", name, "cluster=lab", "description=d", "organization=o")

    def submit(self, user: str, account: str, *, held: bool = False) -> None:
        hold = ("--hold",) if held else ()
        batch = ("sbatch", f"--account={account}", "--mem=10", "--output=/dev/null", *hold)
        self.machine.must(*batch, "--wrap=sleep 600", user=user)
        if not held:
            self.wait_until(lambda: account in self._running("%a"))

    def release(self, user: str) -> None:
        jobs = self.machine.must("squeue", "--noheader", "--format=%A", f"--user={user}").split()
        self.machine.must("scontrol", "release", ",".join(jobs))
        self.wait_until(lambda: set(jobs) <= set(self._running("%A")))

    def add_to_partition(self, user: str, account: str) -> None:
        self.hand(
            "add", "user", user, f"account={account}", "cluster=lab", f"partition={PARTITION}"
        )

    def add_qos(self, *names: str) -> None:
        self.machine.run("sacctmgr", "--immediate", "add", "qos", ",".join(names))

    @contextmanager
    def homeless(self, user: UserName) -> Iterator[None]:
        home = f"/home/{user}"
        self.machine.must("usermod", "--home", home, user)
        self.machine.must("rm", "-rf", home)
        try:
            yield
        finally:
            self.machine.must("rm", "-rf", home)

    def down(self) -> AbstractContextManager[None]:
        return self.without("slurmdbd")

    @contextmanager
    def without(self, daemon: str) -> Iterator[None]:
        """Stop a daemon, and start it again afterwards."""
        self.machine.stop_daemon(daemon)
        try:
            yield
        finally:
            self.machine.start_daemon(daemon)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.machine.freeze("slurmdbd")
        self.accounting = self.impatient
        try:
            yield
        finally:
            self.accounting = self.client
            self.machine.thaw("slurmdbd")

    def hand(self, *argv: str) -> str:
        """Work with sacctmgr as an administrator does."""
        return self.machine.must("sacctmgr", "--immediate", *argv)

    def _running(self, letter: str) -> list[str]:
        listing = ("squeue", "--noheader", "--states=RUNNING", f"--format={letter}")
        return self.machine.must(*listing).split()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for slurmctld, which looks at its queue several times a second."""
        for _ in range(100):
            if is_so():
                return
            self.machine.must("sleep", "0.1")
        raise AssertionError("the scheduler did not do it")


class FakeSite:
    """FakeSlurm with its own administrator."""

    def __init__(self, *, is_operator: bool = False) -> None:
        people = {*PEOPLE, UserName("root")}
        self.slurm = FakeSlurm(unix_users=people, adds_one_by_one=is_operator)

    @property
    def accounting(self) -> Accounting:
        return self.slurm

    def inventory(self) -> Inventory:
        found: set[tuple[str, ...]] = set()
        snapshot = self.slurm.read_snapshot()
        for account in snapshot.accounts.values():
            found.add((str(account.parent), repr(replace(account, associations=()))))
            found |= {(account.name, repr(each)) for each in account.associations}
        return frozenset(found)

    def add_top(self, name: AccountName) -> None:
        self.slurm.put(Account(name, "d", "o", parent=ROOT, fairshare="1"))

    def submit(self, user: str, account: str, *, held: bool = False) -> None:
        self.slurm.submit(user, account)
        if not held:
            self.slurm.tick()

    def release(self, user: str) -> None:  # noqa: ARG002 - only one user's jobs are ever held
        self.slurm.tick()

    def add_to_partition(self, user: str, account: str) -> None:
        found = self.slurm.read_snapshot().accounts[AccountName(account)]
        more = Association(UserName(user), partition=PARTITION)
        self.slurm.put(replace(found, associations=(*found.associations, more)))

    def add_qos(self, *names: str) -> None:
        self.slurm.qos |= set(names)

    @contextmanager
    def homeless(self, user: UserName) -> Iterator[None]:
        self.slurm.homes.discard(user)
        yield
        self.slurm.homes.discard(user)

    @contextmanager
    def down(self) -> Iterator[None]:
        self.slurm.go_down()
        yield
        self.slurm.come_back()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.slurm.go_down(TransportError("sacctmgr did not end within 1 s and was killed"))
        yield
        self.slurm.come_back()
