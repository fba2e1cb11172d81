"""The three dialects, and which of them a server speaks.

Only an answer counts: a server that is down, slow or busy says nothing about its age.
"""

from http import HTTPStatus

from waldur_slurm.agent.errors import NoWaldurThere
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUuid
from waldur_slurm.agent.waldur.dialects.api import DialectApi
from waldur_slurm.agent.waldur.dialects.classic import Classic
from waldur_slurm.agent.waldur.dialects.today import Today
from waldur_slurm.agent.waldur.dialects.transition import Transition
from waldur_slurm.agent.waldur.session import Endpoints, WaldurSession, is_route_missing
from waldur_slurm.agent.waldur.wire.offerings import parse_offering_type
from waldur_slurm.errors import SettingsError

SERVED_BY_AGENTS = "Marketplace.Slurm"
"""The type of offerings that leave the work to an agent, in every version of Waldur."""

_NOBODY = "0" * 32


def open_dialect(session: WaldurSession, offering: OfferingUuid) -> DialectApi:
    """Find the dialect and see that an agent may serve the offering."""
    dialect = find_dialect(session, offering)
    raw = session.get_marketplace_provider_offering(offering)
    _check_type(parse_offering_type(raw, "offering"), offering)
    match dialect:
        case Dialect.TODAY:
            return Today(session, offering)
        case Dialect.TRANSITION:
            return Transition(session)
        case Dialect.CLASSIC:
            return Classic(session)


def find_dialect(session: WaldurSession, offering: OfferingUuid) -> Dialect:
    """A few small requests; a refused token or an address without Waldur is an error."""
    query = f"?offering_uuid={offering}&page_size=1&field=uuid"
    has_resources = _is_served(session, f"{Endpoints.MarketplaceProviderResources}/{query}")
    has_allocations = _is_served(
        session, f"{Endpoints.MarketplaceSlurmRemote}/{_NOBODY}/set_state/"
    )
    if has_resources:
        return Dialect.TRANSITION if has_allocations else Dialect.TODAY
    if has_allocations:
        return Dialect.CLASSIC
    raise NoWaldurThere(
        "looking for the marketplace",
        HTTPStatus.NOT_FOUND,
        "no Waldur answers there: WALDUR_API_URL must name its API, as in "
        "https://waldur.example.org/api/",
    )


def _is_served(session: WaldurSession, route: str) -> bool:
    """Absent only if it is absent twice: a proxy's passing 404 must not make Waldur older."""
    url = session.api_url + route
    return any(not is_route_missing(session.find(url)) for _ in range(2))


def _check_type(found: str, offering: OfferingUuid) -> None:
    if found != SERVED_BY_AGENTS:
        raise SettingsError(
            [
                f"WALDUR_OFFERING_UUID: the offering {offering} is of type {found!r}, which "
                f"Waldur serves without an agent: set its type to {SERVED_BY_AGENTS!r} in Waldur, "
                "or name another offering"
            ]
        )
