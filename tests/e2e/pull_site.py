"""A real Slurm and a served Waldur with one offering, and what its customers do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.slurm import Cluster
from sandbox.waldur import Order, Waldur
from tests.e2e.pull_on_slurm import RealSlurm
from tests.e2e.pull_program import IDLE, Effects, Program
from waldur_slurm.agent.pull.guard.brake import Guarded
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import ROOT, AccountName


class LiveSite:
    def __init__(self, cluster: Cluster, waldur: Waldur, directory: Path) -> None:
        self.cluster = cluster
        self.waldur = waldur
        self.slurm = RealSlurm(cluster)
        self.slurm.add_accounts([NewAccount(AccountName("waldur"), ROOT, "default", "root")])
        self.program = Program(
            api_url=waldur.url,
            token=waldur.tokens.provider,
            offering=waldur.offering_uuid,
            slurm_environ=dict(cluster.environ),
            state=directory,
        )
        self.customer = waldur.make_customer("Science")
        self.users: dict[str, str] = {}

    def make_project(self, name: str, *usernames: str) -> str:
        project = self.waldur.make_project(self.customer, name)
        for username in usernames:
            self.join(project, username)
        return project

    def join(self, project: str, username: str) -> None:
        if username not in self.users:
            self.users[username] = self.waldur.make_user(f"{username}-at-home")
            self.waldur.set_offering_username(self.users[username], username)
        self.waldur.add_member(project, self.users[username])

    def leave(self, project: str, username: str) -> None:
        self.waldur.remove_member(project, self.users[username])

    def allocate(self, project: str, name: str = "alloc", **limits: int) -> str:
        """Order one, and return its resource once it is there."""
        resource = self.order(project, name, **limits)
        self.settle()
        return resource

    def order(self, project: str, name: str, **limits: int) -> str:
        return self.waldur.order_create(project, name, limits or {"gpu": 100}).resource_uuid

    def run(self, **changes: Any) -> int:
        return replace(self.program, **changes).run()

    def settle(self, cycles: int = 8) -> None:
        """Let one process run until a cycle finds nothing to do."""
        assert self.run(cycles=cycles) == IDLE

    def plan(self, consent: Consent | None = None) -> Guarded:
        cycle = self.program.cycle(lambda _event: None, Effects(None, is_after=False))
        return cycle.plan(consent or Consent())

    def account(self, resource: str) -> Account:
        """The one account in all of Slurm that is marked as the resource's."""
        snapshot = self.slurm.read_snapshot()
        found = [a for a in snapshot.accounts.values() if f"/{resource}" in a.description]
        assert len(found) == 1, found
        return found[0]

    def is_absent(self, resource: str) -> bool:
        accounts = self.slurm.read_snapshot().accounts.values()
        return not any(f"/{resource}" in account.description for account in accounts)

    def order_state(self, order: Order) -> str:
        state: str = self.waldur.order(order.uuid)["state"]
        return state
