"""Beginnings and troubles that several tests of pull share."""

from collections.abc import Mapping
from dataclasses import replace

from tests.fakes.pull import Site
from tests.fakes.slurm import refused
from waldur_slurm.agent.model.marketplace import Order, Resource
from waldur_slurm.model.accounts import Account, Association, NewAccount
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.slurm.accounting.port import Accounting, Outcome

ANN = UserName("ann")
OLD = AccountName("hpc_old")


def left_by_the_original(
    site: Site, limits: Mapping[str, object] | None = None, /, **changes: object
) -> Resource:
    """A resource as the original agent served it: no mark, its project in the organization."""
    project = site.waldur.make_project()
    site.waldur.add_member(project, ANN)
    resource = site.waldur.make_resource(project, "old", limits or {"gpu": 1}, backend_id=OLD)
    account = Account(
        OLD, "old", f"hpc_{project.uuid}", parent=ROOT, associations=(Association(ANN),)
    )
    site.slurm.put(replace(account, **changes))  # type: ignore[arg-type]  # a typo fails at once
    return resource


def many_orders(site: Site, count: int, **named: str) -> list[Order]:
    project = site.waldur.make_project()
    orders = [site.waldur.place_create(project, f"a{n}", {"gpu": 1}) for n in range(count)]
    orders.extend(site.waldur.place_create(project, name, {"gpu": 1}) for name in named.values())
    return orders


class PoisonedSlurm:
    """Refuses every batch that holds the poisoned account or user."""

    def __init__(self, slurm: Accounting, poison: str) -> None:
        self._slurm = slurm
        self._poison = poison

    def __getattr__(self, name: str) -> object:
        return getattr(self._slurm, name)

    def add_accounts(self, accounts: list[NewAccount]) -> Outcome:
        if any(self._poison in account.name for account in accounts):
            raise refused("Invalid")
        return self._slurm.add_accounts(accounts)

    def add_users(self, memberships: dict[AccountName, list[UserName]]) -> Outcome:
        if any(self._poison in user for users in memberships.values() for user in users):
            raise refused("Invalid")
        return self._slurm.add_users(memberships)
