"""Who is in each resource's project: one list for all, then one by one what that list lacks.

The list holds the projects of shared offerings only, and where it is closed it holds nothing: that
it does not name a project is no evidence, so the project's team is asked for. A team that could
not be read is left out of the answer: unknown is not empty.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from waldur_slurm.agent.errors import UnexpectedPayload, WaldurRejected
from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    ProjectUuid,
    Resource,
    ResourceUuid,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.waldur.dialects.api import DialectApi
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession
from waldur_slurm.agent.waldur.wire.people import Member, parse_permission_row, parse_team_member
from waldur_slurm.agent.waldur.wire.reading import parse_uuid

Team = frozenset[UserUuid]

_CLOSED = frozenset({403, 404})
"""How Waldur says that this token may not read a list, or that there is none."""


def read_members(
    session: WaldurSession,
    api: DialectApi,
    customer: CustomerUuid,
    resources: Collection[Resource],
    *,
    now: datetime,
    threads: int,
    names: dict[UserUuid, str],
    unreadable: list[Unreadable],
) -> dict[ResourceUuid, Team]:
    """`now` is the server's time: a role that has ended by then does not count.

    `names` takes what the members are called in Waldur, `unreadable` the teams that are left out.
    """
    listed = _read_permissions(session, customer)
    absent = [resource for resource in resources if resource.project.uuid not in listed]
    listed |= read_teams(api.read_team, absent, threads, unreadable)
    return _by_resource(listed, resources, now, names)


def read_few_members(
    ask: Callable[[ResourceUuid], Sequence[object]],
    resources: Collection[Resource],
    *,
    now: datetime,
    threads: int,
    names: dict[UserUuid, str],
) -> dict[ResourceUuid, Team]:
    """The same of a few resources, whose teams are asked for; one that is unreadable is raised."""
    unreadable: list[Unreadable] = []
    listed = read_teams(ask, resources, threads, unreadable)
    if unreadable:
        raise UnexpectedPayload(unreadable[0].error)
    return _by_resource(listed, resources, now, names)


def _by_resource(
    listed: Mapping[ProjectUuid, Sequence[Member]],
    resources: Collection[Resource],
    now: datetime,
    names: dict[UserUuid, str],
) -> dict[ResourceUuid, Team]:
    names |= {each.user: each.name for members in listed.values() for each in members if each.name}
    teams = {
        project: frozenset(each.user for each in members if each.is_in(now))
        for project, members in listed.items()
    }
    return {r.uuid: teams[r.project.uuid] for r in resources if r.project.uuid in teams}


def _read_permissions(
    session: WaldurSession, customer: CustomerUuid
) -> dict[ProjectUuid, list[Member]]:
    try:
        providers = session.list_service_providers({"customer_uuid": customer})
        if not providers:
            return {}
        uuid = parse_uuid(providers[0], "service providers")
        endpoint = f"{Endpoints.MarketplaceServiceProviders}/{uuid}/project_permissions"
        rows = session.rows(endpoint, {}, lambda row: parse_permission_row(row, "permissions"))
    except WaldurRejected as error:
        if error.status not in _CLOSED:
            raise
        return {}
    return whole(rows)


def whole(
    rows: Iterable[tuple[ProjectUuid | None, Member | None]],
) -> dict[ProjectUuid, list[Member]]:
    """Projects of which every row can be read; none at all where a row may be anybody's."""
    teams: defaultdict[ProjectUuid, list[Member]] = defaultdict(list)
    broken: set[ProjectUuid] = set()
    for project, member in rows:
        if project is None:
            return {}
        if member is None:
            broken.add(project)
        else:
            teams[project].append(member)
    return {project: members for project, members in teams.items() if project not in broken}


def read_teams(
    ask: Callable[[ResourceUuid], Sequence[object]],
    resources: Collection[Resource],
    threads: int,
    unreadable: list[Unreadable],
) -> dict[ProjectUuid, list[Member]]:
    """One request for each project, through any one of its resources."""
    samples = {resource.project.uuid: resource.uuid for resource in resources}

    def read(resource: ResourceUuid) -> list[Member] | None:
        try:
            rows = ask(resource)
        except WaldurRejected as error:
            if error.status not in _CLOSED:
                raise
            return None
        try:
            return [parse_team_member(row, f"team of {resource}") for row in rows]
        except UnexpectedPayload as error:
            bad = Unreadable(kind=RowKind.TEAM, uuid=resource, error=str(error))
            unreadable.append(bad)
            return None

    with ThreadPoolExecutor(max_workers=threads) as pool:  # its map ends with the first error
        found = dict(zip(samples, pool.map(read, samples.values()), strict=True))
    return {project: team for project, team in found.items() if team is not None}
