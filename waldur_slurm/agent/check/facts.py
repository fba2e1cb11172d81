"""What `check` knows: every fact is read once, and a fact that could not be read is its error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Offering,
    OfferingUser,
    ResourceState,
    Unreadable,
    UsagePolicy,
    UserUuid,
)
from waldur_slurm.agent.model.rights import Rights
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.errors import ExpectedError, InvalidName
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.names import AccountName, UserName, user_name
from waldur_slurm.model.tres import TresName
from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.known import Known, known
from waldur_slurm.slurm.accounting.port import Accounting

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFacts:
    """What the settings say, as far as `check` judges it."""

    direction: str
    api_url: str
    verify_ssl: bool
    default_account: AccountName
    require_unix_users: bool
    warnings: tuple[str, ...] = ()
    env_file: str = ""
    """The env file that the settings come from, where the command line names one."""
    token_file: str = ""
    """The file that holds the token, where the settings name one."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in the teams of the allocations, by the names in Waldur itself."""

    names: Mapping[UserUuid, str]
    unknown: tuple[str, ...] = ()
    """Allocations whose team may not be read."""
    ends: Mapping[str, date] = field(default_factory=dict)
    """Accounts of allocations that Waldur ends by itself, each with the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldurFacts:
    offering: Offering
    dialect: Dialect
    rights: Known[Rights]
    offering_users: Known[tuple[OfferingUser, ...]]
    members: Known[Members]
    policies: Known[tuple[UsagePolicy, ...]] = ()
    unreadable: tuple[Unreadable, ...]
    server_time: datetime | None
    local_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmFacts:
    version: str
    snapshot: Known[Snapshot]
    tres: Known[frozenset[TresName]]
    configuration: Known[Mapping[str, str]]
    may_write: Known[bool]
    missing_unix_users: Known[frozenset[UserName]] = field(default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    settings: SettingsFacts
    components: Known[tuple[Component, ...]]
    storage: Mapping[str, str | Obstacle]
    """What the agent must be able to write, each with how it is, or with what stands in the way."""
    waldur: Known[WaldurFacts]
    slurm: Known[SlurmFacts]
    hooks: Known[Sequence[str]] | None = None
    """The site's own programs; None where it has no place for them."""


Announce = Callable[[str], None]
"""Hears whom `check` is about to ask: a frozen daemon keeps it waiting for a time-out."""


def read_waldur(
    build: Callable[[], Marketplace], now: Callable[[], datetime], announce: Announce
) -> Known[WaldurFacts]:
    announce("Waldur")
    try:
        marketplace = build()
        offering = marketplace.read_offering()
        members = known(lambda: _read_members(marketplace))
        users = known(marketplace.read_offering_users)
        return WaldurFacts(
            offering=offering,
            dialect=marketplace.dialect,
            server_time=marketplace.server_time,
            local_time=now(),
            rights=known(marketplace.read_rights),
            members=members,
            offering_users=users,
            policies=known(marketplace.read_usage_policies),
            unreadable=marketplace.unreadable,
        )
    except ExpectedError as error:
        return error


def _read_members(marketplace: Marketplace) -> Members:
    """Of allocations that are there: Waldur makes no offering users before."""
    found = marketplace.read_resources()
    resources = [each for each in found if each.state is not ResourceState.CREATING]
    teams = marketplace.read_members(resources)
    users = frozenset[UserUuid]().union(*teams.values())
    names = marketplace.member_names(users)
    unknown = (resource.uuid for resource in resources if resource.uuid not in teams)
    return Members(
        names={user: names.get(user, user) for user in users},
        unknown=tuple(sorted(unknown)),
        ends={each.backend_id or each.name: each.ends_on for each in found if each.ends_on},
    )


def user_names(waldur: Known[WaldurFacts]) -> frozenset[UserName]:
    """The names that Waldur would have in Slurm, as far as Slurm would take them."""
    if isinstance(waldur, ExpectedError) or isinstance(waldur.offering_users, ExpectedError):
        return frozenset()
    names = (user.username for user in waldur.offering_users if user.is_usable)
    return frozenset(name for name in map(_accepted, names) if name)


def _accepted(text: str) -> UserName | None:
    try:
        return user_name(text)
    except InvalidName:
        return None


def read_slurm(
    build: Callable[[], Accounting], people: frozenset[UserName], announce: Announce
) -> Known[SlurmFacts]:
    """Ask Slurm everything; `people` are the user names that Waldur knows."""
    try:
        slurm = build()
        version = slurm.read_version()
    except ExpectedError as error:
        return error
    announce("Slurm's controller")
    configuration = known(slurm.read_configuration)
    announce("Slurm's accounting")
    snapshot = _unless_down(configuration, slurm.read_snapshot)
    return SlurmFacts(
        version=version,
        configuration=configuration,
        snapshot=snapshot,
        tres=_unless_down(snapshot, slurm.read_tres),
        may_write=_unless_down(snapshot, slurm.may_change_accounts),
        missing_unix_users=known(lambda: slurm.read_missing_unix_users(people)),
    )


def _unless_down(before: Known[object], read: Callable[[], T]) -> Known[T]:
    """Ask only where the question before it was answered: each silence costs its time-out."""
    return before if isinstance(before, ExpectedError) else known(read)
