"""How an agent becomes visible to providers: an identity, a service in it, a processor in that.

Each step finds what an earlier start left behind, so that restarts do not pile up.
"""

from datetime import UTC, datetime

from waldur_slurm.agent.model.marketplace import OfferingUuid
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.wire.reading import parse_uuid

IDENTITIES = "marketplace-site-agent-identities"
SERVICES = "marketplace-site-agent-services"


def register(
    session: WaldurSession,
    offering: OfferingUuid,
    name: str,
    version: str,
    direction: str,
    *,
    has_started: bool,
) -> None:
    """Make or refresh the identity; the server finds service and processor by their names.

    A processor that is registered again has run at that moment, by which Waldur shows it as alive.
    """
    identity = _identity(session, offering, name, version, has_started=has_started)
    service = session.act(
        IDENTITIES, identity, "register_service", {"name": direction, "mode": direction}
    )
    processor = {"name": direction, "backend_type": "SLURM"}
    uuid = parse_uuid(service, "register_service")
    session.act(SERVICES, uuid, "register_processor", processor)


def _identity(
    session: WaldurSession, offering: OfferingUuid, name: str, version: str, *, has_started: bool
) -> str:
    said = {
        "offering": offering,
        "name": name,
        "version": version,
        "last_restarted": datetime.now(UTC).isoformat(),
    }
    asked = {"offering_uuid": offering, "name": name}
    known = session.rows(IDENTITIES, asked, lambda row: parse_uuid(row, IDENTITIES))
    if known:
        if has_started:
            session.replace(IDENTITIES, known[0], said)
        return known[0]
    return parse_uuid(session.create(IDENTITIES, said), IDENTITIES)
