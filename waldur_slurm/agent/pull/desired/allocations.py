"""What an allocation should be: new, kept as it is or changed, ended, or missing. Values only."""

from dataclasses import dataclass

from waldur_slurm.agent.model.marketplace import Order, Resource
from waldur_slurm.agent.pull.desired.hierarchy import NoPlace
from waldur_slurm.agent.pull.world.people import Turnover
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An allocation whose account an order makes, or `once --repair missing` makes again."""

    resource: Resource
    order: Order | None
    new: NewAccount
    people: tuple[UserName, ...] | None
    joiners: tuple[UserName, ...]

    @property
    def account(self) -> AccountName:
        return self.new.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An allocation whose account exists and stays; `order` is None where none changes it."""

    resource: Resource
    order: Order | None
    found: Account
    description: str
    """The mark and the name; differs from what is found after an adoption or a new name."""
    is_adopted: bool
    limits: Tres | None
    people: tuple[UserName, ...] | None
    """A set for each of ten thousand would take seven times the memory."""
    turnover: Turnover
    parent: AccountName | NoPlace | None
    """Where the account belongs, where that is known."""

    @property
    def account(self) -> AccountName:
        return self.found.name

    @property
    def joiners(self) -> tuple[UserName, ...]:
        return self.turnover.joiners


Allocation = New | Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An allocation that an order ends. `found` is None when its account is gone already."""

    resource: Resource
    order: Order
    found: Account | None
    adopted_as: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """An order ends the resource, and its account is missing without proof that it is gone."""

    resource: Resource
    order: Order
