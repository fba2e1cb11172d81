"""Who may use what the offering sells: teams, offering users, associations."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUser,
    ProjectAccount,
    Resource,
    ResourceUuid,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.waldur.members import read_few_members, read_members
from waldur_slurm.agent.waldur.offering_users import (
    delete_offering_user,
    make_offering_user,
    read_offering_users_of,
)
from waldur_slurm.agent.waldur.opened import Opened
from waldur_slurm.agent.waldur.project_accounts import find_lists, read_lists
from waldur_slurm.agent.waldur.session import Endpoints
from waldur_slurm.agent.waldur.wire.people import parse_association, parse_offering_user_row

_FEW = 30
"""Of more people the whole list is the smaller answer, as it comes by the page."""


class People(Opened):
    """The marketplace's people, read whole or an error."""

    def read_members(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        api = self._api
        self._names = {}
        unreadable: list[Unreadable] = []
        teams = read_members(
            self._session,
            api,
            self.read_offering().customer_uuid,
            resources,
            now=self.server_time or datetime.now(UTC),
            threads=self._threads,
            names=self._names,
            unreadable=unreadable,
        )
        self._bad_rows.remember(RowKind.TEAM, unreadable)
        return teams

    def read_teams(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[UserUuid]]:
        api = self._api
        self._names = {}
        return read_few_members(
            api.read_team,
            resources,
            now=self.server_time or datetime.now(UTC),
            threads=self._threads,
            names=self._names,
        )

    def member_names(self, users: Collection[UserUuid]) -> Mapping[UserUuid, str]:
        names, self._names = self._names, {}
        return {user: names[user] for user in users if user in names}

    def read_offering_users(self) -> tuple[OfferingUser, ...]:
        self._opened()
        filters = {"offering_uuid": self._offering_uuid}
        rows = self._session.rows(
            Endpoints.MarketplaceOfferingUsers,
            filters,
            lambda row: parse_offering_user_row(row, "offering users"),
        )
        return self._bad_rows.sorted_out(RowKind.OFFERING_USER, rows)

    def read_project_accounts(self) -> tuple[ProjectAccount, ...]:
        api = self._api
        if api.dialect is not Dialect.TODAY:
            return ()
        if self._accounts_of is not api:  # another server answers since, or the same upgraded
            self._account_lists = find_lists(self._session, self._offering_uuid)
            self._accounts_of = api
        rows = read_lists(self._session, self._offering_uuid, self._account_lists)
        return self._bad_rows.sorted_out(RowKind.PROJECT_ACCOUNT, rows)

    def read_offering_users_of(self, users: Collection[UserUuid]) -> tuple[OfferingUser, ...]:
        """One by one, or from the whole list where that is less, as it comes by the page."""
        self._opened()
        if len(users) > _FEW:
            return tuple(each for each in self.read_offering_users() if each.user in users)
        return read_offering_users_of(self._session, self._offering_uuid, users, self._threads)

    def tell_offering_user(self, user: UserUuid) -> None:
        self._opened()
        make_offering_user(self._session, self._offering_uuid, user)

    def tell_offering_user_deleted(self, offering_user: str) -> None:
        self._opened()
        delete_offering_user(self._session, offering_user)

    def read_associations(
        self, resources: Collection[Resource]
    ) -> Mapping[ResourceUuid, frozenset[str]] | None:
        api = self._api
        if not api.takes_associations:
            return None
        found: dict[str, set[str]] = {r.allocation_uuid: set() for r in resources}
        for row in api.list_associations():
            allocation, username = parse_association(row, "associations")
            if allocation in found:
                found[allocation].add(username)
        return {r.uuid: frozenset(found[r.allocation_uuid]) for r in resources}

    def tell_association(self, resource: Resource, username: str) -> None:
        self._api.tell_association(resource, username)

    def tell_no_association(self, resource: Resource, username: str) -> None:
        self._api.tell_no_association(resource, username)

    def tell_memberships(self, resource: Resource, usernames: Collection[str]) -> None:
        self._api.tell_memberships(resource, frozenset(usernames))
