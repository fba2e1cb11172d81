"""People and accounts of the accounting: who may use which, as a tree where it is one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from datetime import datetime

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.picture.keeper import Seen
from waldur_slurm.gateway.web.answers import from_picture
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.cluster import listing
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.past import Account, Membership, Person


class PersonView(msgspec.Struct, frozen=True):
    """`level` is Slurm's word: None, Operator or Administrator."""

    name: str
    default_account: str | None
    level: str


class AssociationView(msgspec.Struct, frozen=True):
    """An empty partition is all of them."""

    id: int
    account: str
    user: str
    partition: str
    qos: tuple[str, ...]
    default_qos: str


class AccountView(msgspec.Struct, frozen=True):
    """An account with those below it. `users` are those that may use it itself."""

    name: str
    users: tuple[str, ...]
    accounts: tuple["AccountView", ...]


class AccountsAnswer(msgspec.Struct, frozen=True):
    """Accounts that are below no other one, with all below them."""

    cluster: str
    as_of: datetime
    accounts: tuple[AccountView, ...]


def person_view(person: Person) -> PersonView:
    return PersonView(person.name, person.default_account, person.level)


def association_view(membership: Membership) -> AssociationView:
    return AssociationView(
        id=membership.id,
        account=membership.account,
        user=membership.user,
        partition=membership.partition,
        qos=membership.qos,
        default_qos=membership.default_qos,
    )


list_users = listing(
    "users", lambda cluster: cluster.people, person_view, lambda person: person.name
)
list_associations = listing(
    "associations",
    lambda cluster: cluster.memberships,
    association_view,
    lambda membership: membership.user,
)


async def show_accounts(ask: Ask) -> Response:
    """Who may not see everybody sees the accounts that are his, with what is above them."""
    seen = await ask.see(ask.cluster.accounts)
    people = await ask.see(ask.cluster.memberships)
    mine = ask.principal.sees_only

    def make() -> bytes:
        tree = _tree(seen.picture.value, people.picture.value, mine)
        return msgspec.json.encode(AccountsAnswer(ask.cluster.name, seen.picture.as_of, tree))

    name = f"accounts {people.picture.generation}"
    return await from_picture(ask, seen, name, make, is_shared=mine is None)


async def see_tree(ask: Ask) -> tuple[Seen[tuple[Account, ...]], tuple[AccountView, ...]]:
    seen = await ask.see(ask.cluster.accounts)
    people = await ask.see(ask.cluster.memberships)
    return seen, _tree(seen.picture.value, people.picture.value, ask.principal.sees_only)


def _tree(
    accounts: Collection[Account], memberships: Iterable[Membership], mine: Set[str] | None
) -> tuple[AccountView, ...]:
    users = _users_by_account(memberships, mine)
    return account_tree(accounts, users, is_whole=mine is None)


def _users_by_account(
    memberships: Iterable[Membership], mine: Set[str] | None
) -> Mapping[AccountName, Set[str]]:
    found: dict[AccountName, set[str]] = defaultdict(set)
    for each in memberships:
        if mine is None or each.user in mine:
            found[each.account].add(each.user)
    return found


def account_tree(
    accounts: Collection[Account], users: Mapping[AccountName, Set[str]], *, is_whole: bool
) -> tuple[AccountView, ...]:
    """Put each below its parent; of a tree that is not whole only what leads to users."""
    known = {account.name for account in accounts}
    below: dict[AccountName | None, list[AccountName]] = defaultdict(list)
    for account in accounts:
        below[account.parent if account.parent in known else None].append(account.name)

    def views(parent: AccountName | None) -> tuple[AccountView, ...]:
        made = (
            AccountView(name, tuple(sorted(users.get(name, ()))), views(name))
            for name in sorted(below[parent])
        )
        return tuple(view for view in made if is_whole or view.users or view.accounts)

    return views(None)
