"""What still stands when a cycle has ended, in numbers: no names, no uuids.

The metrics show it until the next cycle ends; what a direction does not know is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Counts by a constant word each; `unreported` by component, in Waldur's units."""

    is_brake_active: bool = False
    drift: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    quarantined: int | None = None
    members_without_access: Mapping[str, int] | None = None
    unreported: Mapping[str, Decimal] | None = None
    usage_of_unknown_users: int | None = None
    runaway_jobs: int | None = None
    erred_resources: int | None = None
