"""A large site put straight into both databases, as the agent would have left it.

Rule: the rows are those that Slurm 22.05 keeps itself; that the agent finds nothing to do there is
checked before anything is measured.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.progress import say
from benchmarks.site import TRES_FILE, Site
from sandbox.slurm import Cluster
from waldur_slurm.agent.model.marketplace import OfferingUuid
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, wanted_limits
from waldur_slurm.agent.pull.world.marks import Mark, MarkKind
from waldur_slurm.agent.tres_file import read_tres_file

ACCOUNTS = ("creation_time", "mod_time", "name", "description", "organization")
ASSOCIATIONS = (
    *("creation_time", "mod_time", "is_def", "id_assoc", "user", "acct", "parent_acct"),
    *("lft", "rgt", "grp_tres_mins"),
)
PEOPLE = ("creation_time", "mod_time", "name")


@dataclass
class Account:
    """An account to be, with all that hangs on it."""

    name: str
    description: str
    limits: str = ""
    people: tuple[str, ...] = ()
    children: list["Account"] = field(default_factory=list)


def seed(site: Site, allocations: int, users_each: int) -> None:
    say(f"{allocations} x {users_each}: filling both databases")
    site.waldur.seed(allocations, users_each, people=allocations * users_each)
    _load(site.cluster, _customers(site))


def _customers(site: Site) -> Iterator[Account]:
    """The tree of accounts that fits what Waldur holds."""
    store = site.waldur.store
    offering = OfferingUuid(site.waldur.offering_uuid)
    limits = _limits(site.cluster)
    teams: dict[str, list[str]] = defaultdict(list)
    for row in store.rows(
        "SELECT r.scope, o.username FROM roles r JOIN offering_users o ON o.user = r.user"
        " WHERE r.scope_type = 'project'"
    ):
        teams[row["scope"]].append(row["username"])

    def account(kind: MarkKind, uuid: str, title: str, name: str = "") -> Account:
        return Account(name or f"hpc_{uuid}", Mark(kind, offering, uuid).describe(title))

    projects = {
        row["uuid"]: account(MarkKind.PROJECT, row["uuid"], row["name"])
        for row in store.rows("SELECT * FROM projects")
    }
    for row in site.waldur.resources():
        own = account(MarkKind.RESOURCE, row["uuid"], row["name"], row["backend_id"])
        own.limits, own.people = limits, tuple(teams[row["project"]])
        projects[row["project"]].children.append(own)
    for row in store.rows("SELECT * FROM customers WHERE uuid IN (SELECT customer FROM projects)"):
        customer = account(MarkKind.CUSTOMER, row["uuid"], row["name"])
        held = store.rows("SELECT uuid FROM projects WHERE customer = ?", row["uuid"])
        customer.children = [projects[project["uuid"]] for project in held]
        yield customer


def _limits(cluster: Cluster) -> str:
    """The limits of every allocation, as Slurm stores them: by the numbers of the TRES."""
    limits = wanted_limits(read_tres_file(TRES_FILE), {})
    if isinstance(limits, Unusable):
        raise TypeError(limits.reason)
    listed = cluster.sql("select id, type, name from tres_table").splitlines()[1:]
    numbers = {
        f"{kind}/{name}" if name else kind: number
        for number, kind, name in (line.split("\t") for line in listed)
    }
    return ",".join(sorted(f"{numbers[tres]}={amount}" for tres, amount in limits.items()))


def _load(cluster: Cluster, customers: Iterable[Account]) -> None:
    name = cluster.options.name
    root = cluster.sql(f"select rgt from {name}_assoc_table where acct = 'root' and user = ''")
    last = cluster.sql(f"select max(id_assoc) from {name}_assoc_table")
    rows = _Rows(int(root.split()[-1]), int(last.split()[-1]) + 1)
    for customer in customers:
        rows.add(customer, "root")
    _fill(cluster, "acct_table", ACCOUNTS, rows.accounts)
    _fill(cluster, "user_table", PEOPLE, rows.people.values())
    _fill(cluster, f"{name}_assoc_table", ASSOCIATIONS, rows.associations)
    cluster.sql(
        f"update {name}_assoc_table set rgt = {rows.place} where acct = 'root' and user = ''"
    )


def _fill(
    cluster: Cluster, table: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]
) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="seeded-", encoding="ascii") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in rows)
        file.flush()
        cluster.sql_load(table, Path(file.name), columns)


class _Rows:
    """Slurm's tables, filled depth first: `place` is the next number of the nested set."""

    def __init__(self, place: int, number: int) -> None:
        self.accounts: list[tuple[object, ...]] = []
        self.associations: list[tuple[object, ...]] = []
        self.people: dict[str, tuple[object, ...]] = {}
        self.place = place
        self._number = number
        self._now = int(time.time())

    def add(self, account: Account, parent: str) -> None:
        self.accounts.append((self._now, self._now, account.name, account.description, parent))
        first = self._next_place()
        number = self._next_number()
        for user in account.people:
            is_default = int(user not in self.people)
            self.people[user] = (self._now, self._now, user)
            place = self._next_place()
            self._associate(is_default, self._next_number(), user, account.name, "", place, "")
        for child in account.children:
            self.add(child, account.name)
        self._associate(0, number, "", account.name, parent, first, account.limits)

    def _associate(
        self,
        is_default: int,
        number: int,
        user: str,
        account: str,
        parent: str,
        first: int,
        limits: str,
    ) -> None:
        self.associations.append(
            (
                self._now,
                self._now,
                is_default,
                number,
                user,
                account,
                parent,
                first,
                self._next_place(),
                limits,
            )
        )

    def _next_place(self) -> int:
        self.place += 1
        return self.place - 1

    def _next_number(self) -> int:
        self._number += 1
        return self._number - 1
