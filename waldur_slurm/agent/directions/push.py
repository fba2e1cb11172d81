"""Push: Slurm's usage, limits and associations to Waldur."""

import argparse
from collections.abc import Sequence

from waldur_slurm.agent.composition import Site, now
from waldur_slurm.agent.daemon.cycle import Report
from waldur_slurm.agent.directions import Planned
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.push.backfill import Backfill, Progress
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.final import FinalUsage
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.plan.policy import NO_CONSENT, Consent
from waldur_slurm.agent.push.reader import Lookout
from waldur_slurm.agent.push.render import kind_of, to_json, to_text


class PushCarrier:
    """Implements `Carrier`."""

    def __init__(self, site: Site) -> None:
        self._cycle = push_cycle(site)

    def run(self, arguments: argparse.Namespace | None = None) -> Report:
        return self._cycle.run(_consent(arguments) if arguments else NO_CONSENT)

    def plan(self, arguments: argparse.Namespace) -> Planned:
        plan = self._cycle.plan(_consent(arguments))
        return Planned(to_text(plan), to_json(plan), kind_of(plan).value)

    def sell(self, components: Sequence[Component]) -> None:
        self._cycle.components = components


def push_cycle(site: Site) -> PushCycle:
    return PushCycle(
        accounting=site.accounting,
        marketplace=site.marketplace,
        components=site.components,
        policy=site.settings.push,
        state=site.state,
        sink=site.tell,
        clock=now,
        is_stopping=lambda: site.signals.is_stopping,
        phase=site.phase,
    )


def push_lookout(site: Site) -> Lookout:
    return push_cycle(site).lookout


def push_journal(site: Site) -> Journal:
    return Journal(site.state)


def push_backfill(site: Site, *, allow_decrease: bool, progress: Progress) -> Backfill:
    return Backfill(
        lookout=push_lookout(site),
        sink=site.tell,
        consent=Consent(allow_decrease=allow_decrease),
        is_stopping=lambda: site.signals.is_stopping,
        progress=progress,
    )


def final_usage(site: Site) -> FinalUsage:
    """What pull is handed for its Terminate orders."""
    return FinalUsage(lookout=push_lookout(site), sink=site.tell)


def _consent(arguments: argparse.Namespace) -> Consent:
    return Consent(allow_decrease=arguments.allow_decrease)
