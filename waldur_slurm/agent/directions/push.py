"""Push: Slurm's usage, limits and associations to Waldur."""

import argparse
from collections.abc import Sequence

from waldur_slurm.agent.composition import Parts, now
from waldur_slurm.agent.directions import Planned
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.push.backfill import Backfill, Progress
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.final import FinalUsage
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.plan.policy import NO_CONSENT, Consent
from waldur_slurm.agent.push.reader import Reader
from waldur_slurm.agent.push.render import kind_of, to_json, to_text
from waldur_slurm.agent.report.report import Report


class PushCarrier:
    """Implements `Carrier`."""

    look = None
    """Usage is not ordered."""

    def __init__(self, parts: Parts) -> None:
        self._cycle = push_cycle(parts)

    def run(self, arguments: argparse.Namespace | None = None) -> Report:
        return self._cycle.run(_consent(arguments) if arguments else NO_CONSENT)

    def plan(self, arguments: argparse.Namespace) -> Planned:
        plan = self._cycle.plan(_consent(arguments))
        return Planned(to_text(plan), to_json(plan), kind_of(plan).value)

    def use_components(self, components: Sequence[Component]) -> None:
        self._cycle.components = components


def push_cycle(parts: Parts) -> PushCycle:
    return PushCycle(
        accounting=parts.accounting,
        marketplace=parts.marketplace,
        components=parts.components,
        policy=parts.settings.push,
        state=parts.state,
        sink=parts.tell,
        clock=now,
        is_stopping=lambda: parts.signals.is_stopping,
        unbroken=parts.signals.unbroken,
        phase=parts.phase,
    )


def push_reader(parts: Parts) -> Reader:
    return push_cycle(parts).reader


def push_journal(parts: Parts) -> Journal:
    return Journal(parts.state)


def push_backfill(parts: Parts, *, allow_decrease: bool, progress: Progress) -> Backfill:
    return Backfill(
        reader=push_reader(parts),
        sink=parts.tell,
        consent=Consent(allow_decrease=allow_decrease),
        is_stopping=lambda: parts.signals.is_stopping,
        unbroken=parts.signals.unbroken,
        progress=progress,
    )


def final_usage(parts: Parts) -> FinalUsage:
    """What pull is handed for its Terminate orders."""
    return FinalUsage(reader=push_reader(parts), sink=parts.tell, unbroken=parts.signals.unbroken)


def _consent(arguments: argparse.Namespace) -> Consent:
    return Consent(
        allow_decrease=arguments.allow_decrease, repair_erred="erred" in arguments.repair
    )
