"""Where new accounts go: allocation under project under customer under the default account.

Parents that exist keep their place, whoever made them; those that miss are made once for all
allocations that need them. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from waldur_slurm.agent.model.marketplace import Project, ProjectUuid, Resource
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.agent.pull.world.naming import allocation_names, parent_names
from waldur_slurm.agent.pull.world.ownership import Ownership, name_in_waldur
from waldur_slurm.agent.pull.world.world import World
from waldur_slurm.model.accounts import Account, NewAccount, is_in_cluster
from waldur_slurm.model.names import AccountName


@dataclass(frozen=True, slots=True)
class Place:
    name: AccountName
    parent: AccountName


@dataclass(frozen=True, slots=True)
class NoPlace:
    reason: str


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A project's account that hangs elsewhere than under the project's customer."""

    account: Account
    customer: AccountName | NoPlace | None
    """The customer's account, or None where there is none yet."""


class Hierarchy:
    """Gives out places, and remembers which parents have to be made for them."""

    def __init__(self, world: World, ownership: Ownership) -> None:
        self._world = world
        self._ownership = ownership
        self._given: set[AccountName] = set()
        self._parents: dict[tuple[MarkKind, str], AccountName | NoPlace] = {}
        self.new_parents: list[tuple[Stage, NewAccount]] = []

    def allocation(self, resource: Resource, known: AccountName | None) -> Place | NoPlace:
        """A place for a new account; `known` is a name that it had before and keeps."""
        parent = self._parent(MarkKind.PROJECT, resource.project)
        if isinstance(parent, NoPlace):
            return parent
        names = [known] if known else self._allocation_names(resource)
        for name in names:
            is_free = name == known or self._ownership.is_free(name, resource)
            if is_free and name not in self._given:
                self._given.add(name)
                return Place(name, parent)
        return NoPlace("every name for its account is taken")

    def project(self, project: Project) -> AccountName | None:
        """Return the project's account where there is one."""
        account = self._ownership.parent(MarkKind.PROJECT, project)
        return account.name if account is not None and is_in_cluster(account) else None

    def make_project(self, project: Project) -> AccountName | NoPlace:
        """The project's account, planned where it is missing."""
        return self._parent(MarkKind.PROJECT, project)

    def misplaced(self) -> Iterator[Misplaced]:
        """The agent's own accounts of projects that Waldur has given to another customer.

        The customer's account is planned where it is missing, if they are to be moved.
        """
        resources = self._world.waldur.resources
        projects = {resource.project.uuid: resource.project for resource in resources}
        for account, mark in self._ownership.own(MarkKind.PROJECT):
            project = projects.get(ProjectUuid(mark.uuid))
            if project is None or not is_in_cluster(account):
                continue
            customer = self._ownership.parent(MarkKind.CUSTOMER, project)
            place = customer.name if customer is not None and is_in_cluster(customer) else None
            is_in_place = place is not None and account.parent == place
            if is_in_place or self._world.policy.protects_account(account.name):
                continue
            if self._world.consent.repair_parents:
                yield Misplaced(account, self._parent(MarkKind.CUSTOMER, project))
            else:
                yield Misplaced(account, place)

    @property
    def needed(self) -> frozenset[AccountName]:
        """Parents, found or planned, under which something is about to be put."""
        places = self._parents.values()
        return frozenset(place for place in places if not isinstance(place, NoPlace))

    def _parent(self, kind: MarkKind, project: Project) -> AccountName | NoPlace:
        uuid = project.uuid if kind is MarkKind.PROJECT else project.customer_uuid
        if (kind, uuid) not in self._parents:
            self._parents[kind, uuid] = self._find_or_plan(kind, project)
        return self._parents[kind, uuid]

    def _find_or_plan(self, kind: MarkKind, project: Project) -> AccountName | NoPlace:
        found = self._ownership.parent(kind, project)
        if found is not None and is_in_cluster(found):
            return found.name
        above = self._above(kind, project)
        if isinstance(above, NoPlace):
            return above
        name = found.name if found else self._free_parent_name(kind, project)
        if name is None:
            return NoPlace(f"every name for its {kind}'s account is taken")
        is_project = kind is MarkKind.PROJECT
        mark = self._ownership.mark(kind, project.uuid if is_project else project.customer_uuid)
        title = project.name if is_project else project.customer_name
        new = NewAccount(name, above, mark.describe(title), name)
        self.new_parents.append((Stage.PROJECTS if is_project else Stage.CUSTOMERS, new))
        self._given.add(name)
        return name

    def _above(self, kind: MarkKind, project: Project) -> AccountName | NoPlace:
        if kind is MarkKind.PROJECT:
            return self._parent(MarkKind.CUSTOMER, project)
        default = self._world.policy.default_account
        if not is_in_cluster(self._world.snapshot.accounts.get(default)):
            return NoPlace(f"the default account {default} does not exist in Slurm")
        return default

    def _free_parent_name(self, kind: MarkKind, project: Project) -> AccountName | None:
        for name in parent_names(self._world.policy, kind, project):
            is_taken = name in self._world.snapshot.accounts or name in self._given
            if not is_taken and not self._world.policy.protects_account(name):
                return name
        return None

    def _allocation_names(self, resource: Resource) -> Iterator[AccountName]:
        """The name that Waldur remembers from before comes first, when it is one of ours."""
        before = name_in_waldur(resource)
        if before and before.startswith(self._world.policy.allocation_prefix.lower()):
            yield before
        yield from allocation_names(self._world.policy, resource)
