"""Who may use what: offering users, team members, associations, rights. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import (
    OfferingUser,
    ProjectAccount,
    ProjectUuid,
    RowKind,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.model.rights import STAFF, Rights, Role
from waldur_slurm.agent.waldur.wire.reading import canonical, last_uuid, parse_uuid, read_row
from waldur_slurm.agent.waldur.wire.rows import (
    AssociationRow,
    MeRow,
    OfferingUserRow,
    PermissionRow,
    ProjectAccountRow,
    TeamMemberRow,
)
from waldur_slurm.model.copies import one_copy

_LEAVING = frozenset({"Requested deletion", "Deleting", "Deleted", "Error deleting"})
"""States of an offering user that is on its way out; all others but OK are a matter of time."""


_TO_BE_DELETED = frozenset({"Requested deletion", "Deleting"})


def parse_offering_user(raw: object, where: str) -> OfferingUser:
    row = read_row(OfferingUserRow, raw, where)
    why_not = _why_not(row)
    return OfferingUser(
        user=UserUuid(canonical(row.user_uuid)),
        username=one_copy(row.username or ""),
        is_usable=not why_not,
        why_not=why_not,
        is_leaving=row.state in _LEAVING,
        to_be_deleted=canonical(row.uuid) if row.state in _TO_BE_DELETED else "",
    )


def parse_offering_user_row(raw: object, where: str) -> OfferingUser | Unreadable:
    """A row that does not even tell its uuid says that the answer is broken, not the person."""
    try:
        return parse_offering_user(raw, where)
    except UnexpectedPayload as error:
        return Unreadable(
            kind=RowKind.OFFERING_USER,
            uuid=parse_uuid(raw, where),
            error=str(error),
            user=_user_in(raw),
            username=_text_in(raw, "username"),
        )


def parse_project_account(raw: object, where: str) -> ProjectAccount | Unreadable:
    """A row that does not even tell its uuid says that the answer is broken, not the account."""
    try:
        row = read_row(ProjectAccountRow, raw, where)
        project = ProjectUuid(canonical(row.project_uuid))
    except UnexpectedPayload as error:
        uuid, kind = parse_uuid(raw, where), RowKind.PROJECT_ACCOUNT
        name = _text_in(raw, "username")
        return Unreadable(kind=kind, uuid=uuid, error=str(error), username=name)
    username = one_copy(row.username or "")
    why_not = "" if username else "the account in Waldur has no user name"
    if row.state != "OK":
        why_not = one_copy(f"the account in Waldur is in state {row.state[:40]!r}")
    person = OfferingUser(
        user=UserUuid(canonical(row.uuid)),
        username=username,
        is_usable=not why_not,
        why_not=why_not,
        is_leaving=row.state == "Closed",
    )
    return ProjectAccount(project, person)


def _user_in(raw: object) -> str:
    try:
        return canonical(_text_in(raw, "user_uuid"))
    except UnexpectedPayload:
        return ""


def _text_in(raw: object, name: str) -> str:
    found = raw.get(name) if isinstance(raw, dict) else None
    return found if isinstance(found, str) else ""


def _why_not(row: OfferingUserRow) -> str:
    if row.state != "OK":
        return one_copy(f"the offering user in Waldur is in state {row.state[:40]!r}")
    if row.is_restricted:
        return "the offering user is restricted in Waldur"
    return "" if row.username else "the offering user has no user name"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with a role in a project until a moment; `name` is Waldur's own, if it is told."""

    user: UserUuid
    name: str
    until: datetime | None

    def is_in(self, now: datetime) -> bool:
        return self.until is None or self.until > now


def parse_permission(raw: object, where: str) -> tuple[ProjectUuid, Member]:
    row = read_row(PermissionRow, raw, where)
    project, user = ProjectUuid(canonical(row.project_uuid)), UserUuid(canonical(row.user_uuid))
    return project, Member(user, one_copy(row.user_username or ""), row.expiration_time)


def parse_permission_row(raw: object, where: str) -> tuple[ProjectUuid | None, Member | None]:
    """What can be told of the row: a member that is None makes its project's team unknown."""
    try:
        return parse_permission(raw, where)
    except UnexpectedPayload:
        try:
            return ProjectUuid(canonical(_text_in(raw, "project_uuid"))), None
        except UnexpectedPayload:
            return None, None


def parse_team_member(raw: object, where: str) -> Member:
    row = read_row(TeamMemberRow, raw, where)
    user = UserUuid(canonical(row.uuid))
    return Member(user, one_copy(row.username or ""), row.expiration_time)


def parse_association(raw: object, where: str) -> tuple[str, str]:
    """The allocation's uuid and the user name."""
    row = read_row(AssociationRow, raw, where)
    return last_uuid(row.allocation), row.username


def parse_rights(raw: object, where: str, scopes: Collection[str]) -> Rights:
    """`scopes` are the offering and the organization that provides it, by uuid."""
    row = read_row(MeRow, raw, where)
    here = [Role(STAFF)] if row.is_staff else []
    elsewhere: list[Role] = []
    for held in row.permissions:
        role = Role(held.role_name, f"{held.scope_type} {held.scope_name}")
        is_here = held.scope_uuid is not None and canonical(held.scope_uuid) in scopes
        (here if is_here else elsewhere).append(role)
    return Rights(tuple(sorted(here)), tuple(sorted(elsewhere)))


def statuses_to_wire(
    team: Iterable[object], usernames: frozenset[str], where: str
) -> list[dict[str, object]]:
    """Whose access has arrived, of everybody in the team who has a user name."""
    rows = (read_row(TeamMemberRow, raw, where) for raw in team)
    return [
        {
            "scope_type": "resource",
            "role_name": row.role,
            "user_uuid": canonical(row.uuid),
            "username": row.offering_user_username,
            "state": "synced" if row.offering_user_username in usernames else "pending",
        }
        for row in rows
        if row.offering_user_username
    ]
