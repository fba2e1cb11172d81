"""Which accounts are the agent's, by evidence: a mark, or what only the original agent wrote.

What cannot be proven to belong to a resource is somebody else's, whatever Waldur's backend id says.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from waldur_slurm.agent.model.marketplace import Project, Resource, ResourceUuid
from waldur_slurm.agent.pull.world.marks import Mark, MarkKind, looks_marked, parse_mark
from waldur_slurm.agent.pull.world.naming import original_name, parent_names
from waldur_slurm.agent.pull.world.world import Claims, World
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName, account_name


@dataclass(frozen=True, slots=True)
class Ours:
    """The account carries the resource's mark."""

    account: Account


@dataclass(frozen=True, slots=True)
class Adoptable:
    """No mark, but the original agent's signs, and nobody else lays claim to it."""

    account: Account


@dataclass(frozen=True, slots=True)
class Foreign:
    """Waldur names an account that cannot be proven to be this resource's."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Slurm answered, and there is no such account; `name` is what Waldur calls it, if anything."""

    name: str


Holding = Ours | Adoptable | Foreign | Absent


def name_in_waldur(resource: Resource) -> AccountName | None:
    """What Waldur calls the resource's account, where an account can have that name."""
    try:
        return account_name(resource.backend_id)
    except InvalidName:
        return None


def claims_of(resources: Iterable[Resource], known: Claims) -> dict[str, tuple[ResourceUuid, ...]]:
    """Add to what is known of before who lays claim to which name now."""
    claims = dict(known)
    for resource in resources:
        others = claims.get(resource.backend_id, ())
        if resource.backend_id and resource.uuid not in others:
            claims[resource.backend_id] = (*others, resource.uuid)
    return claims


def promised(world: World) -> Claims:
    """Names that Waldur gives to resources, and that Slurm has no account for."""
    claims = claims_of(world.waldur.resources, {})
    there = world.snapshot.accounts
    return {name: resources for name, resources in claims.items() if name not in there}


class Ownership:
    """Everything one snapshot tells about who owns what."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts = world.snapshot.accounts
        self._marks: dict[AccountName, Mark] = {}
        self._marked: dict[tuple[MarkKind, str], list[AccountName]] = defaultdict(list)
        for name in sorted(self._accounts):
            mark = parse_mark(self._accounts[name].description)
            if mark is not None:
                self._marks[name] = mark
                self._marked[mark.kind, mark.uuid].append(name)
        self._claims = claims_of(world.waldur.resources, world.claims)
        self._children: dict[AccountName, list[AccountName]] = defaultdict(list)
        for account in self._accounts.values():
            if account.parent is not None:
                self._children[account.parent].append(account.name)

    def children(self, name: AccountName) -> tuple[AccountName, ...]:
        return tuple(sorted(self._children.get(name, ())))

    def mark(self, kind: MarkKind, uuid: str) -> Mark:
        return Mark(kind, self._world.offering, uuid)

    def own(self, *kinds: MarkKind) -> Iterator[tuple[Account, Mark]]:
        """Accounts that this offering's agent marked, by name."""
        for name, mark in self._marks.items():
            if mark.offering == self._world.offering and mark.kind in kinds:
                yield self._accounts[name], mark

    def holding(self, resource: Resource) -> Holding:
        ours = self._marked_for(resource)
        if len(ours) > 1:
            return Foreign(", ".join(ours), "more than one account carries this allocation's mark")
        if ours:
            return Ours(self._accounts[ours[0]])
        if resource.backend_id:
            return self._by_backend_id(resource)
        return self._left_by_the_original(resource)

    def was_ours(self, resource: Resource) -> bool:
        """Whether an account that Slurm lists no more was the agent's, by what it noted of it."""
        name = name_in_waldur(resource)
        if name is None or self._claims_of_others(name, resource):
            return False
        page = self._world.ledger.page(name)
        return page.is_removed or bool(page.people or page.tres)

    def is_free(self, name: AccountName, resource: Resource) -> bool:
        """Whether a new account of the resource may be called so."""
        return (
            name not in self._accounts
            and not self._world.policy.protects_account(name)
            and not self._claims_of_others(name, resource)
        )

    def parent(self, kind: MarkKind, project: Project) -> Account | None:
        """Return the existing account of the project or customer, whoever made it."""
        uuid = project.uuid if kind is MarkKind.PROJECT else project.customer_uuid
        names = tuple(parent_names(self._world.policy, kind, project))

        def rank(name: AccountName) -> tuple[bool, bool]:
            return self._marks[name].offering != self._world.offering, name not in names

        for name in sorted(self._marked.get((kind, uuid), []), key=rank):
            return self._accounts[name]
        account = self._accounts.get(names[-1])
        unmarked = account is not None and not looks_marked(account.description)
        return account if unmarked else None

    def _marked_for(self, resource: Resource) -> list[AccountName]:
        marked = self._marked.get((MarkKind.RESOURCE, resource.uuid), [])
        return [name for name in marked if self._marks[name].offering == self._world.offering]

    def _by_backend_id(self, resource: Resource) -> Holding:
        account = self._accounts.get(AccountName(resource.backend_id))
        if account is None:
            return Absent(resource.backend_id)
        why = self._why_foreign(account, resource)
        return Foreign(account.name, why) if why else Adoptable(account)

    def _left_by_the_original(self, resource: Resource) -> Holding:
        """Find what a crash left between making the account and telling its name to Waldur."""
        name = original_name(self._world.policy, resource)
        account = self._accounts.get(name) if name else None
        if account is not None and not self._why_foreign(account, resource):
            return Adoptable(account)
        return Absent("")

    def _why_foreign(self, account: Account, resource: Resource) -> str:
        policy = self._world.policy
        if looks_marked(account.description):
            return "it carries another mark"
        if policy.protects_account(account.name):
            return "it is protected"
        if not account.name.startswith(policy.allocation_prefix.lower()):
            return "its name does not carry the allocation prefix"
        if self._claims_of_others(account.name, resource):
            return "another allocation names it"
        if account.organization != self._project_account_name(resource.project):
            return "its organization is not the project's account"
        return ""

    def _claims_of_others(self, name: AccountName, resource: Resource) -> bool:
        return any(claim != resource.uuid for claim in self._claims.get(name, ()))

    def _project_account_name(self, project: Project) -> str:
        existing = self.parent(MarkKind.PROJECT, project)
        if existing is not None:
            return existing.name
        return next(parent_names(self._world.policy, MarkKind.PROJECT, project), "")
