"""Offering users one by one: asked for, made where somebody has none, and said to be deleted."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from waldur_slurm.agent.errors import WaldurRejected
from waldur_slurm.agent.model.marketplace import OfferingUser, OfferingUuid, UserUuid
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession
from waldur_slurm.agent.waldur.wire.people import parse_offering_user
from waldur_slurm.agent.waldur.wire.reading import parse_uuid

_LIST = Endpoints.MarketplaceOfferingUsers


def read_offering_users_of(
    session: WaldurSession, offering: OfferingUuid, users: Collection[UserUuid], threads: int
) -> tuple[OfferingUser, ...]:
    """A server that does not know the filter answers with others too: they are left out."""

    def ask(user: UserUuid) -> list[OfferingUser]:
        filters = {"offering_uuid": offering, "user_uuid": user}
        rows = session.rows(_LIST, filters, lambda row: parse_offering_user(row, "offering users"))
        return [row for row in rows if row.user == user]

    with ThreadPoolExecutor(threads) as pool:
        return tuple(each for found in pool.map(ask, sorted(users)) for each in found)


def make_offering_user(session: WaldurSession, offering: OfferingUuid, user: UserUuid) -> None:
    """Waldur refuses a second one: then the list of them decides."""
    url = session.api_url
    provided = f"{Endpoints.MarketplaceProviderOffering}/{offering}"
    said = {"user": f"{url}users/{user}/", "offering": f"{url}{provided}/"}
    try:
        session.create(_LIST, said)
    except WaldurRejected:
        filters = {"offering_uuid": offering, "user_uuid": user}
        if not session.rows(_LIST, filters, lambda row: parse_uuid(row, _LIST)):
            raise


def delete_offering_user(session: WaldurSession, offering_user: str) -> None:
    """By two steps; after a crash between them the first is refused, as it has been taken."""
    try:
        session.act(_LIST, offering_user, "set_deleting", {})
    except WaldurRejected as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
    session.act(_LIST, offering_user, "set_deleted", {})
