"""Read both sides in bulk: pages of Waldur's lists, a constant number of Slurm's commands."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected
from waldur_slurm.agent.model.marketplace import (
    Offering,
    OfferingUser,
    Order,
    ProjectAccount,
    ProjectUuid,
    Resource,
    ResourceUuid,
    UserUuid,
)
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.plan import questions
from waldur_slurm.agent.pull.world.world import Answers, Questions, WaldurSide
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.errors import CommandFailed, SlurmError, TransportError
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.processes.at_once import at_once
from waldur_slurm.slurm.accounting.port import Accounting

Teams = Mapping[ResourceUuid, frozenset[UserUuid]]

_MANY = 10
"""Where more than a tenth of the people in accounts have no Unix user, the look-up is wrong."""


def read_waldur(marketplace: Marketplace) -> WaldurSide:
    """Orders are read first: a resource that is made meanwhile is in the later list."""
    orders = marketplace.read_orders()
    resources = tuple(sorted(marketplace.read_resources(), key=lambda each: each.uuid))
    accounts = marketplace.read_project_accounts()
    members = with_accounts(marketplace.read_members(resources), resources, accounts)
    persons = tuple(account.person for account in accounts)
    offering_users = (*marketplace.read_offering_users(), *persons)
    shown = marketplace.read_associations(resources)
    offering = marketplace.read_offering() if orders else None
    return _side(marketplace, offering, orders, resources, members, offering_users, shown)


def with_accounts(
    members: Teams,
    resources: Iterable[Resource],
    accounts: Iterable[ProjectAccount],
) -> Teams:
    """Accounts of a project are in its team; of a team that is unknown they tell nothing."""
    of: dict[ProjectUuid, set[UserUuid]] = defaultdict(set)
    for account in accounts:
        of[account.project].add(account.person.user)
    theirs = {resource.uuid: of[resource.project.uuid] for resource in resources} if of else {}
    return {
        uuid: team | theirs[uuid] if theirs.get(uuid) else team for uuid, team in members.items()
    }


def read_part_of_waldur(
    marketplace: Marketplace,
    wanted: Collection[ResourceUuid],
    known: Collection[Order],
) -> WaldurSide:
    """These resources alone, with their orders and people; who is shown in them can wait.

    `known` are the orders, which have just been read. A resource that cannot be read is left out
    with its orders: who reads all will say why.
    """
    (resources, teams, offering_users), (listed_accounts, offering) = at_once(
        lambda: _read_teams(marketplace, wanted),
        lambda: (marketplace.read_project_accounts(), marketplace.read_offering()),
    )
    read = {resource.uuid for resource in resources}
    orders = tuple(order for order in known if order.resource in read)
    projects = {resource.project.uuid for resource in resources}
    accounts = [account for account in listed_accounts if account.project in projects]
    members = with_accounts(teams, resources, accounts)
    people = (*offering_users, *(account.person for account in accounts))
    told = offering if orders else None
    return _side(marketplace, told, orders, resources, members, people, None)


def read_part_again(marketplace: Marketplace, before: WaldurSide) -> WaldurSide:
    """These orders and resources as they are now; by an approval nobody comes or goes."""
    known = marketplace.read_orders()
    resources = tuple(_readable(marketplace, [resource.uuid for resource in before.resources]))
    read = {resource.uuid for resource in resources}
    orders = tuple(order for order in known if order.resource in read)
    unreadable = marketplace.unreadable
    return replace(before, orders=orders, resources=resources, unreadable=unreadable)


def _read_teams(
    marketplace: Marketplace, wanted: Iterable[ResourceUuid]
) -> tuple[tuple[Resource, ...], Teams, tuple[OfferingUser, ...]]:
    resources = tuple(_readable(marketplace, sorted(wanted)))
    teams = marketplace.read_teams(resources) if resources else {}
    team = frozenset[UserUuid]().union(*teams.values())
    return resources, teams, marketplace.read_offering_users_of(team) if team else ()


def _readable(marketplace: Marketplace, wanted: Iterable[ResourceUuid]) -> Iterator[Resource]:
    for uuid in wanted:
        with suppress(WaldurRejected, UnexpectedPayload):
            yield marketplace.read_resource(uuid)


def _side(
    marketplace: Marketplace,
    offering: Offering | None,
    orders: tuple[Order, ...],
    resources: tuple[Resource, ...],
    members: Teams,
    offering_users: tuple[OfferingUser, ...],
    shown: Mapping[ResourceUuid, frozenset[str]] | None,
) -> WaldurSide:
    served = {person.user for person in offering_users if person.is_usable}
    return WaldurSide(
        orders=orders,
        resources=resources,
        members=members,
        offering_users=offering_users,
        shown=shown,
        is_unavailable=offering is not None and offering.is_unavailable,
        passes_messages=offering is not None and offering.passes_messages,
        unreadable=marketplace.unreadable,
        names=marketplace.member_names(frozenset().union(*members.values()) - served),
    )


def read_answers(accounting: Accounting, desired: Desired) -> Answers:
    asked = questions(desired)
    return Answers(
        jobs=_read_jobs(accounting, asked),
        missing_unix_users=_read_missing(accounting, asked, desired),
        default_accounts=_read_defaults(accounting, asked),
    )


def _read_jobs(
    accounting: Accounting, asked: Questions
) -> dict[AccountName, tuple[QueuedJob, ...]] | None:
    """None when slurmctld does not answer: what it would say of the jobs is unknown."""
    if not asked.accounts:
        return {}
    try:
        queue = accounting.read_queue(sorted(asked.accounts))
    except SlurmError:
        return None
    jobs: dict[AccountName, list[QueuedJob]] = defaultdict(list)
    for job in queue:
        jobs[job.account].append(job)
    return {account: tuple(theirs) for account, theirs in jobs.items()}


def _read_missing(
    accounting: Accounting, asked: Questions, desired: Desired
) -> frozenset[UserName] | None:
    """Believe the look-up only if it knows nearly everybody who is in an account already."""
    if not asked.joiners or not desired.world.policy.require_unix_users:
        return frozenset()
    present = desired.people
    try:
        missing = accounting.read_missing_unix_users(sorted(asked.joiners | present))
    except (TransportError, CommandFailed):
        return None
    return None if len(missing & present) * _MANY > len(present) else missing


def _read_defaults(accounting: Accounting, asked: Questions) -> Mapping[UserName, AccountName]:
    """Slurmdbd told of the accounts a moment ago; its silence now ends the cycle, as then.

    About everybody it is not asked: that takes it longer than to list all accounts.
    """
    if not asked.leavers:
        return {}
    return accounting.read_default_accounts(sorted(asked.leavers))
