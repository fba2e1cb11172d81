"""Resources with the project that each belongs to. Pure."""

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.model.marketplace import (
    Resource,
    ResourceState,
    ResourceUuid,
    RowKind,
    Unreadable,
)
from waldur_slurm.agent.waldur.wire.reading import (
    canonical,
    known_state,
    parse_uuid,
    project_of,
    read_row,
)
from waldur_slurm.agent.waldur.wire.rows import PlannedRow, PlanPeriodRow, ResourceRow

ALLOCATION = "SLURM.Allocation"
"""The type of the hidden allocation behind a resource of the older dialects."""


def parse_resource(raw: object, where: str, in_flight: frozenset[ResourceUuid]) -> Resource:
    """`in_flight`: the resources that an open order is about; lists of resources do not tell."""
    row = read_row(ResourceRow, raw, where)
    uuid = ResourceUuid(canonical(row.uuid))
    allocation = row.resource_uuid if row.resource_type == ALLOCATION else None
    return Resource(
        uuid=uuid,
        name=row.name,
        slug=row.slug,
        state=known_state(ResourceState, row.state, ResourceState.OTHER),
        backend_id=row.backend_id.lower(),  # as Slurm writes every account name
        project=project_of(row),
        limits=row.limits or {},
        allocation_uuid=canonical(allocation) if allocation else "",
        has_order_in_flight=uuid in in_flight,
        is_paused=row.paused,
        is_downscaled=row.downscaled,
        is_restricted=row.restrict_member_access,
        ends_on=row.end_date,
    )


def parse_resource_row(
    raw: object, where: str, in_flight: frozenset[ResourceUuid]
) -> Resource | Unreadable:
    """A row that does not even tell its uuid says that the answer is broken, not the resource."""
    uuid = parse_uuid(raw, where)
    try:
        return parse_resource(raw, where, in_flight)
    except UnexpectedPayload as error:
        return Unreadable(kind=RowKind.RESOURCE, uuid=uuid, error=str(error))


def parse_plan(raw: object, where: str) -> str:
    """The plan of a resource, as it is read alone; empty for one without."""
    return read_row(PlannedRow, raw, where).plan_uuid or ""


def parse_plan_period(raw: object, where: str) -> tuple[bool, str]:
    """Whether the period is still open, and its uuid."""
    row = read_row(PlanPeriodRow, raw, where)
    return row.end is None, canonical(row.uuid)
