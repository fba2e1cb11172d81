"""A Slurm in memory that lists less than there is."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from tests.fakes.pull import WALDUR_ACCOUNT
from tests.fakes.slurm import FakeSlurm
from waldur_slurm.model.accounts import Account, Association, Snapshot
from waldur_slurm.model.names import ROOT, AccountName
from waldur_slurm.slurm.accounting.port import Accounting

T = TypeVar("T")

Cut = Callable[[Sequence[Any]], Sequence[Any]]

ALLOCATION = "_alloc"
"""What ends the names of allocations; of these and of the other accounts the same part is cut."""

CUTS: dict[str, Cut] = {
    "empty": lambda _rows: (),
    "first half": lambda rows: rows[: len(rows) // 2],
    "second half": lambda rows: rows[len(rows) // 2 :],
}


class ShrunkenSlurm:
    """A Slurm whose readings named in `method` are cut; root and the default account stay."""

    def __init__(self, slurm: FakeSlurm, method: str, cut: Cut) -> None:
        self._slurm = slurm
        self._method = method
        self._cut = cut

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._slurm, name)
        if name != self._method or name.startswith("_"):
            return found
        return lambda *args, **more: self._shrunken(found(*args, **more))

    def _shrunken(self, answer: Any) -> Any:
        match answer:
            case Snapshot():
                return self._smaller(answer)
            case Iterator():
                return iter(self._cut(list(answer)))
            case _:
                return self._cut(answer)

    def _smaller(self, snapshot: Snapshot) -> Snapshot:
        names = sorted(snapshot.accounts)
        allocations = [name for name in names if name.endswith(ALLOCATION)]
        others = [name for name in names if name not in allocations]
        kept = {ROOT, WALDUR_ACCOUNT, *self._cut(allocations), *self._cut(others)}
        return replace(snapshot, accounts={name: snapshot.accounts[name] for name in sorted(kept)})


class ForgetfulSlurm(ShrunkenSlurm):
    """The accounts are all there, and their people are cut."""

    def _smaller(self, snapshot: Snapshot) -> Snapshot:
        pairs = [(name, a) for name, each in snapshot.accounts.items() for a in each.associations]
        kept: Collection[tuple[AccountName, Association]] = self._cut(pairs)

        def with_fewer(account: Account) -> Account:
            people = tuple(a for a in account.associations if (account.name, a) in kept)
            return replace(account, associations=people)

        accounts = {name: with_fewer(each) for name, each in snapshot.accounts.items()}
        return replace(snapshot, accounts=accounts)


def shrunken(method: str, cut: Cut) -> Callable[[FakeSlurm], Accounting]:
    return lambda slurm: ShrunkenSlurm(slurm, method, cut)


def forgetful(method: str, cut: Cut) -> Callable[[FakeSlurm], Accounting]:
    return lambda slurm: ForgetfulSlurm(slurm, method, cut)
