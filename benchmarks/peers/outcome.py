"""What is known of one agent at the end: figures, or the reason why there are none. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.peers.figures import Cost
from benchmarks.peers.usage import Correctness


class Work(StrEnum):
    PROVISION = "first provisioning"
    MEMBERS = "members, nothing new"
    USAGE = "usage, first report"


class CannotRun(Exception):
    """An agent could not be made to do its work here; the message is the table's."""


@dataclass
class Outcome:
    name: str
    dialect: str
    measured_on: int
    """Allocations; where it is less than the whole site, costs were carried on."""
    costs: dict[Work, Cost] = field(default_factory=dict)
    measured: dict[Work, dict[str, Cost]] = field(default_factory=dict)
    """As measured, before anything was carried on."""
    start_seconds: float | None = None
    """From the start of its Python to the start of its work, which no cost contains."""
    usage: Correctness | None = None
    usage_as_requested: Correctness | None = None
    """Held against what jobs asked for instead of what they were given."""
    trouble: str = ""
