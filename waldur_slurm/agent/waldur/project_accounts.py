"""Accounts of projects that are nobody's own: those of services and of courses.

Not every server of a dialect has the lists: one that does not know the route has no such accounts.
"""

from http import HTTPStatus

from waldur_slurm.agent.errors import WaldurRejected
from waldur_slurm.agent.model.marketplace import (
    OfferingUuid,
    ProjectAccount,
    RowKind,
    Unreadable,
)
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession, is_route_missing
from waldur_slurm.agent.waldur.wire.people import parse_project_account

_LISTS = ("list_project_service_accounts", "list_course_accounts")


def find_lists(session: WaldurSession, offering: OfferingUuid) -> tuple[str, ...]:
    """The lists that this server has, be it that the token may not read them."""
    return tuple(each for each in _LISTS if _is_there(session, _route(offering, each)))


def read_lists(
    session: WaldurSession, offering: OfferingUuid, lists: tuple[str, ...]
) -> list[ProjectAccount | Unreadable]:
    return [row for each in lists for row in _read(session, offering, each)]


def _read(
    session: WaldurSession, offering: OfferingUuid, action: str
) -> list[ProjectAccount | Unreadable]:
    try:
        return session.rows(
            _route(offering, action), {}, lambda row: parse_project_account(row, action)
        )
    except WaldurRejected as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        return [Unreadable(kind=RowKind.PROJECT_ACCOUNT, uuid=offering, error=str(error))]


def _is_there(session: WaldurSession, route: str) -> bool:
    try:
        return not is_route_missing(session.find(f"{session.api_url}{route}/?page_size=1"))
    except WaldurRejected as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        return True


def _route(offering: OfferingUuid, action: str) -> str:
    return f"{Endpoints.MarketplaceProviderOffering}/{offering}/{action}"
