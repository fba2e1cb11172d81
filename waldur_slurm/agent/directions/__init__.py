"""The two directions, each put together from a site's parts; only the one that runs is imported."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.report.look import Look
from waldur_slurm.agent.report.report import Report
from waldur_slurm.agent.settings import Direction


@dataclass(frozen=True, slots=True)
class Planned:
    """What the next cycle would do: for people, for programs, and as an exit code."""

    text: str
    data: Mapping[str, object]
    code: int


class Carrier(Protocol):
    """One direction, ready to run; standing trouble is remembered from one run to the next."""

    @property
    def look(self) -> Callable[[], Look] | None:
        """Looks for what is new between two cycles, where the direction can."""
        ...

    def run(self, arguments: argparse.Namespace | None = None) -> Report:
        """Run one cycle, with what a person allowed on the command line."""
        ...

    def plan(self, arguments: argparse.Namespace) -> Planned: ...

    def use_components(self, components: Sequence[Component]) -> None:
        """Go on with these components from the next cycle on."""
        ...


def carrier_of(parts: Parts) -> Carrier:
    if parts.settings.direction is Direction.PULL:
        from waldur_slurm.agent.directions.pull import PullCarrier

        return PullCarrier(parts)
    from waldur_slurm.agent.directions.push import PushCarrier

    return PushCarrier(parts)
