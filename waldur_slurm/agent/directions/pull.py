"""Pull: Waldur's orders and members into Slurm."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from waldur_slurm.agent.composition import Parts, now
from waldur_slurm.agent.directions import Planned
from waldur_slurm.agent.directions.push import final_usage, push_journal
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.pull.cycle import PullCycle
from waldur_slurm.agent.pull.order_looks import OrderLooks
from waldur_slurm.agent.pull.render import kind_of, to_json, to_text
from waldur_slurm.agent.pull.world.policy import NO_CONSENT, Consent
from waldur_slurm.agent.push.news import unreported
from waldur_slurm.agent.report.look import Look
from waldur_slurm.agent.report.report import Report
from waldur_slurm.model.names import AccountName


class PullCarrier:
    """Implements `Carrier`."""

    def __init__(self, parts: Parts) -> None:
        self._hooks = parts.hooks
        self._debts = push_journal(parts)
        self._cycle = PullCycle(
            accounting=parts.accounting,
            marketplace=parts.marketplace,
            offering=parts.offering,
            components=parts.components,
            policy=parts.settings.pull,
            state=parts.state,
            sink=parts.tell,
            clock=now,
            report_final_usage=final_usage(parts),
            is_stopping=lambda: parts.signals.is_stopping,
            unbroken=parts.signals.unbroken,
            phase=parts.phase,
        )
        self._looks = OrderLooks(self._cycle)

    def run(self, arguments: argparse.Namespace | None = None) -> Report:
        with self._hooked():
            report = self._looks.run(_consent(arguments) if arguments else NO_CONSENT)
            return replace(report, unreported=unreported(self._debts.read_owed()))

    def look(self) -> Look:
        with self._hooked():
            return self._looks.look()

    def plan(self, arguments: argparse.Namespace) -> Planned:
        guarded = self._cycle.plan(_consent(arguments))
        return Planned(to_text(guarded), to_json(guarded), kind_of(guarded).value)

    def adopt(self, resource: ResourceUuid, account: AccountName) -> None:
        self._cycle.adopt(resource, account)

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        """Let hooks hear of what was done, also where the work broke off."""
        try:
            yield
        finally:
            if self._hooks:
                self._hooks.run()

    def use_components(self, components: Sequence[Component]) -> None:
        self._cycle.components = components


def _consent(arguments: argparse.Namespace) -> Consent:
    return Consent(
        allow_removals=arguments.allow_removals,
        remove_empty_now=arguments.remove_empty_now,
        repair_parents="parents" in arguments.repair,
        repair_default_associations="default-associations" in arguments.repair,
        repair_missing="missing" in arguments.repair,
    )
